"""Predicted faces: draw and save them, reduce them to five points, align them, write them in other formats."""

from .crops import ARCFACE, ARCFACE_SIZE, align, crop, similarity
from .drawing import (
    FACE_PX_PER_RADIUS_PX,
    GREEN,
    MIN_FACE_WITH_LINES_PX,
    MIN_RADIUS_PX,
    PICTURE_PX_PER_LINE_PX,
    RED,
    WHITE,
    compare,
    draw,
    outline,
    save,
    show,
)
from .face import Face
from .photograph import Faces

__all__ = [
    'ARCFACE',
    'ARCFACE_SIZE',
    'FACE_PX_PER_RADIUS_PX',
    'GREEN',
    'MIN_FACE_WITH_LINES_PX',
    'MIN_RADIUS_PX',
    'PICTURE_PX_PER_LINE_PX',
    'RED',
    'WHITE',
    'Face',
    'Faces',
    'align',
    'compare',
    'crop',
    'draw',
    'outline',
    'save',
    'show',
    'similarity',
]
