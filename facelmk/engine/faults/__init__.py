"""What can go wrong in a run: values that are not finite, memory, workers, signals, batch sizes."""
