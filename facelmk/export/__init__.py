"""Write a trained model as one graph with everything that a program without torch needs: see `export.run`."""
