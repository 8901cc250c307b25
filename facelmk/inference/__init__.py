"""Predict landmarks in any picture: `load` returns a Predictor, a Predictor returns Faces.

Both are imported on first use: they need torch, and `facelmk.inference.runtime` does not.
"""

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..files.collector import pause_collector
from ..registry.sharding import leave_out_sharding

if TYPE_CHECKING:
    # `as`: without it, mypy --strict takes a name for private to this module
    from .load import load as load
    from .predictor import Predictor as Predictor


class _Inference(ModuleType):
    """This package. As a property, `load` remains the function when Python imports the module `load`."""

    @property
    def load(self) -> Any:
        return _module('load').load

    @load.setter
    def load(self, module: ModuleType) -> None:
        """Python sets the module here after its import."""

    @property
    def Predictor(self) -> Any:  # noqa: N802, the name of the class
        return _module('predictor').Predictor


def _module(name: str) -> Any:
    """Import a module of this package that needs torch, without the parts of torch that only training uses."""
    with pause_collector():
        leave_out_sharding()
        return importlib.import_module(f'.{name}', __name__)


sys.modules[__name__].__class__ = _Inference
