"""How others name the same weights: one table from their keys to ours (`backbone.*`, `head.*`)."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor


class Dialect(NamedTuple):
    """A file speaks it if any key matches `mark`; each key is renamed by the first pattern that matches."""

    name: str
    mark: str
    renames: tuple[tuple[str, str], ...] = ()


UNKNOWN = 'a network without a head, as torchvision has it'
_BEHIND = (r'^', 'backbone.')
DIALECTS = (
    Dialect(
        'MMPose before 1.0',
        r'^keypoint_head\.',
        (
            (r'^keypoint_head\.final_layer\.([01])\.', r'head.conv_layers.\1.'),
            (r'^keypoint_head\.final_layer\.3\.', 'head.final_layer.'),
            (r'^keypoint_head\.', 'head.'),
        ),
    ),
    Dialect('facelmk and MMPose', r'^backbone\.'),
    Dialect(
        'HRNet-Facial-Landmark-Detection',
        r'^stage4\.',
        ((r'^head\.([01])\.', r'head.conv_layers.\1.'), (r'^head\.3\.', 'head.final_layer.'), _BEHIND),
    ),
    Dialect('Adaptive Wing', r'^conv_last0\.', (_BEHIND,)),
    Dialect(UNKNOWN, r'', (_BEHIND,)),
)


def translate(weights: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], str]:
    """The weights under our keys, and the name of the dialect they came in."""
    bare = {re.sub(r'^(module\.)+', '', key): value for key, value in weights.items()}
    dialect = next(d for d in DIALECTS if any(re.search(d.mark, key) for key in bare))
    return {_rename(key, dialect): value for key, value in bare.items()}, dialect.name


def _rename(key: str, dialect: Dialect) -> str:
    for pattern, ours in dialect.renames:
        if re.search(pattern, key):
            return re.sub(pattern, ours, key)
    return key
