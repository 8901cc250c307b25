"""Functions, configs and data sets of other projects under their own names.

The functions of HRNet-landmarks (https://github.com/vlad3996/HRNet-landmarks) use the original HRNet's crops and
heatmaps; `init_model` and `inference_topdown` are MMPose's. A module is imported at the first use of one of its names.
"""

import importlib
from typing import Any

_MODULES = {
    'hrnet': ('HighResolutionNet', 'get_lmks_by_img', 'get_model_by_name'),
    'landmarks': ('alignment_orig', 'get_five_landmarks_from_net', 'set_circles_on_img', 'show_landmarks'),
    'mmpose': ('inference_topdown', 'init_model'),
    'pixels': ('crop', 'decode_preds', 'get_preds', 'get_transform', 'transform_pixel', 'transform_preds'),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}
__all__ = sorted(_MODULE_OF)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(importlib.import_module(f'.{_MODULE_OF[name]}', __name__), name)
