"""Networks: backbones, heads and losses, and FaceLandmarker, where they meet the codec."""

from .landmarker import FaceLandmarker

__all__ = ['FaceLandmarker']
