"""Checkpoints: read without running anything, loaded in every dialect to the last key, written whole or not at all."""

from .load import Mismatch, fit, load_checkpoint, load_pretrained
from .read import FORMAT, FORMAT_KEY, PRETRAINED, find_checkpoint, finite, read_checkpoint, weights_of
from .unpickle import Stub
from .write import plain, publish, save_checkpoint

# fmt: off
__all__ = ['FORMAT', 'FORMAT_KEY', 'PRETRAINED', 'Mismatch', 'Stub', 'find_checkpoint', 'finite', 'fit',
           'load_checkpoint', 'load_pretrained', 'plain', 'publish', 'read_checkpoint', 'save_checkpoint', 'weights_of']
# fmt: on
