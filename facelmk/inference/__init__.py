"""Predict landmarks in any picture: `load` returns a Predictor, a Predictor returns Faces."""

from .predictor import Predictor, load
