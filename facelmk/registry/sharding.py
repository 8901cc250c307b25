"""Import mmengine without torch's sharding (ZeRO, FSDP), which takes a second and which only training can use.

mmengine 0.10.7 imports it with `mmengine.model` and `mmengine.runner`. Prediction puts empty modules in its place
while mmengine is imported. A run calls `import_sharding`, so that it has the real classes even where the same program
has predicted before.
"""

import importlib
import sys
from types import ModuleType
from typing import Any

SHARDING = (
    'torch.distributed.optim',
    'torch.distributed.fsdp',
    'torch.distributed.fsdp.api',
    'torch.distributed.fsdp.fully_sharded_data_parallel',
)
USERS = {  # the modules of mmengine that define a class on top of it, the class, and its registry
    'mmengine.optim.optimizer.zero_optimizer': ('ZeroRedundancyOptimizer', 'OPTIMIZERS'),
    'mmengine.model.wrappers.fully_sharded_distributed': ('MMFullyShardedDataParallel', 'MODEL_WRAPPERS'),
    'mmengine._strategy.fsdp': ('FSDPStrategy', 'STRATEGIES'),
}
_left_out = False  # whether mmengine was imported without it


class _Empty(ModuleType):
    """A module in which every name is an empty class."""

    __path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith('__'):
            raise AttributeError(name)
        return type(name, (), {})


def leave_out_sharding() -> None:
    """Import mmengine without torch's sharding, unless this process has imported either already."""
    global _left_out
    if 'mmengine.optim' in sys.modules or any(name in sys.modules for name in SHARDING):
        return
    importlib.import_module('torch')
    sys.modules.update({name: _Empty(name) for name in SHARDING})
    try:
        importlib.import_module('mmengine.runner')
    finally:
        for name in SHARDING:
            del sys.modules[name]
    _left_out = True


def import_sharding() -> None:
    """Give mmengine the classes that `leave_out_sharding` left out."""
    global _left_out
    if not _left_out:
        return
    registries = importlib.import_module('mmengine.registry')
    for module, (name, registry) in USERS.items():
        getattr(registries, registry).module_dict.pop(name, None)
        del sys.modules[module]
        real = getattr(importlib.import_module(module), name)
        package = module.rpartition('.')[0]
        while package != 'mmengine':  # the packages above export the class, too
            setattr(sys.modules[package], name, real)
            package = package.rpartition('.')[0]
    _left_out = False
