"""The models with weights: `list_models` names them, `find_model` describes one, `index.json` holds what is known."""

from .index import DEFAULT, list_models
from .model import FACES, LANDMARKS, ZooModel, find_model, is_model

__all__ = ['DEFAULT', 'FACES', 'LANDMARKS', 'ZooModel', 'find_model', 'is_model', 'list_models']
