"""When a run is saved, what a checkpoint contains, and which checkpoint is the newest or the best."""
