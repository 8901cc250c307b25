"""The configs by what their models predict: a detector has no landmarks, so the laws of landmarks cannot hold for it."""

from facelmk.config import config_names

DETECTOR_CONFIGS = ['facelmk_detector']  # tests/laws/test_every_detector.py has their laws
LANDMARK_CONFIGS = [name for name in config_names() if name not in DETECTOR_CONFIGS]
