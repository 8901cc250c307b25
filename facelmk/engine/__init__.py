"""Training and testing through mmengine's Runner: hooks, loops, guards, ranks; configs, files, weights below."""
