"""When a run is saved, what is in a checkpoint, and which one is the newest or the best."""
