"""Checkpoints: read as data, translated from the key names of other projects, loaded, written."""

from .find import PRETRAINED, Address, find_checkpoint, find_weights
from .load import Mismatch, fit, load_checkpoint, load_pretrained
from .objects import Stub
from .read import FORMAT, FORMAT_KEY, finite, meta_of, read_checkpoint, read_content, weights_of
from .write import add_weights, pack, plain, publish, save_checkpoint

# fmt: off
__all__ = ['FORMAT', 'FORMAT_KEY', 'PRETRAINED', 'Address', 'Mismatch', 'Stub', 'add_weights', 'find_checkpoint',
           'find_weights', 'finite', 'fit', 'load_checkpoint', 'load_pretrained', 'meta_of', 'pack', 'plain', 'publish',
           'read_checkpoint', 'read_content', 'save_checkpoint', 'weights_of']
# fmt: on
