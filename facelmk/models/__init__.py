"""Backbones, heads and losses, and the models that combine them with a codec: FaceLandmarker, FaceDetector."""

from .face_detector import FaceDetector
from .landmarker import FaceLandmarker

__all__ = ['FaceDetector', 'FaceLandmarker']
