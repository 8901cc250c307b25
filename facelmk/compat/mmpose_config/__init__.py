"""The translator of MMPose 1.x configs: one module for each part of a config."""
