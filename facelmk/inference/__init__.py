"""Predict landmarks in any picture: `load` returns a Predictor, a Predictor returns Faces."""

from .load import load
from .predictor import Predictor
