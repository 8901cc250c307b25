"""Predicted faces: draw and save them, reduce them to five points, align them, write them in other formats."""

from .crops import ARCFACE, ARCFACE_SIZE, align, crop, similarity
from .drawing import GREEN, RED, WHITE, compare, draw, outline, save, show
from .face import Face
from .photograph import Faces
