"""Training and testing through mmengine's Runner, and everything around it: configs, checkpoints, hooks, ranks."""
