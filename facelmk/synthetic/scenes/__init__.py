"""Composed scenes: drawn backgrounds with pasted faces, and with many things that look like faces and are none."""

from .dataset import ComposedScenes

__all__ = ['ComposedScenes']
