"""Backbones, heads and losses, and FaceLandmarker, which combines them with a codec."""

from .landmarker import FaceLandmarker

__all__ = ['FaceLandmarker']
