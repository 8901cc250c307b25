"""A web page and a JSON API for landmarks in pictures, on the standard library alone: facelmk serve."""

from .limits import Limits
from .models import ServedModels
from .server import Server

__all__ = ['Limits', 'ServedModels', 'Server']
