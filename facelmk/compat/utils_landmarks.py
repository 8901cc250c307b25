"""HRNet-landmarks' module of this name: put `facelmk.compat.` before it in your import lines."""

from .landmarks import alignment_orig, get_five_landmarks_from_net, set_circles_on_img, show_landmarks

__all__ = ['alignment_orig', 'get_five_landmarks_from_net', 'set_circles_on_img', 'show_landmarks']
