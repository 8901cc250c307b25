"""How well face detectors work: faces found, false alarms and time, in pictures made for it."""

from .composites import Composite, draw_composites
from .trials import PICTURE_PX, DetectorTrial, compare_detectors

__all__ = ['PICTURE_PX', 'Composite', 'DetectorTrial', 'compare_detectors', 'draw_composites']
