"""Synthetic faces, drawn from (seed, index), with exact landmarks in each landmark scheme. They need no files."""

from .dataset import SyntheticFaces
from .faces import VERSION, Drawn, describe, draw
from .scenes import ComposedScenes
from .sheet import sheet

__all__ = ['VERSION', 'ComposedScenes', 'Drawn', 'SyntheticFaces', 'describe', 'draw', 'sheet']
