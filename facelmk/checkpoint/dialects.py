"""Parameter names in checkpoints: the keys of other projects become ours (`backbone.*`, `head.*`).

`facelmk.compat.checkpoint_keys` registers the dialects of other projects in DIALECTS.
"""

import re
from collections.abc import Mapping
from typing import ClassVar, cast

from torch import Tensor

from ..registry import DIALECTS

BACKBONE_PREFIX = (r'^', 'backbone.')
CALIBRATION_PREFIX = 'calibration.'  # the prefix of the keys that `facelmk calibrate` fills


class Dialect:
    """The keys of one project. A file uses them if any key matches `mark`; no two dialects have the same `order`.

    The dialect of the lowest `order` that matches is taken. The first pattern that matches a key renames it.
    """

    name: ClassVar[str]
    mark: ClassVar[str]
    order: ClassVar[int]
    renames: ClassVar[tuple[tuple[str, str], ...]] = ()


@DIALECTS.register_module()
class OwnKeys(Dialect):
    """Our own keys, which MMPose 1.x has, too."""

    name, mark, order = 'facelmk and MMPose', r'^backbone\.', 20


class BareBackbone(Dialect):
    """A backbone without a head, as torchvision saves it: for files that no other dialect matches."""

    name, mark, order = 'a network without a head, as torchvision has it', '', 100
    renames = (BACKBONE_PREFIX,)


def find_dialect(keys: list[str]) -> type[Dialect]:
    """The first dialect that a key matches."""
    known = sorted(cast(list[type[Dialect]], DIALECTS.module_dict.values()), key=lambda dialect: dialect.order)
    return next((d for d in known if any(re.search(d.mark, key) for key in keys)), BareBackbone)


def translate(weights: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], str]:
    """Return the weights under our keys, and the name of the dialect that the file uses."""
    bare = {re.sub(r'^(module\.)+', '', key): value for key, value in weights.items()}
    dialect = find_dialect(list(bare))
    return {_rename(key, dialect): value for key, value in bare.items()}, dialect.name


def _rename(key: str, dialect: type[Dialect]) -> str:
    for pattern, replacement in dialect.renames:
        if re.search(pattern, key):
            return re.sub(pattern, replacement, key)
    return key
