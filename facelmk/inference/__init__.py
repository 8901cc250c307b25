"""A trained network on any picture: `load` gives a Predictor, which gives Faces."""

from .predictor import Predictor, load
