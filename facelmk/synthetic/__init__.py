"""Faces drawn from (seed, index), with exact points in every mark-up; no file is read or downloaded."""

from .dataset import SyntheticFaces
from .faces import VERSION, Drawn, describe, draw
from .sheet import sheet

__all__ = ['VERSION', 'Drawn', 'SyntheticFaces', 'describe', 'draw', 'sheet']
