"""HRNet-landmarks' module of this name: put `facelmk.compat.` before it in your import lines."""

from .hrnet import get_lmks_by_img, get_model_by_name
from .pixels import crop, decode_preds, get_preds, get_transform, transform_pixel, transform_preds

__all__ = [
    'crop',
    'decode_preds',
    'get_lmks_by_img',
    'get_model_by_name',
    'get_preds',
    'get_transform',
    'transform_pixel',
    'transform_preds',
]
