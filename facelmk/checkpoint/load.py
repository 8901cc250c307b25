"""Weights into networks: every dialect, to the last key, or a report of what does not fit."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor, nn

from ..errors import FacelmkError, MissingResource
from ..registry import FUNCTIONS
from .dialects import UNKNOWN, translate
from .read import read_checkpoint, weights_of
from .unpickle import Stub

CLASSIFIER = re.compile(
    r'^(fc|classifier|incre_modules|downsamp_modules|final_layer|'  # of ResNet and DLA; of HRNet
    r'level[34]\.project)\.'
)  # DLA's outer trees hold, but never use, these


class Mismatch(FacelmkError):
    """Weights that do not fit the network."""


def load_checkpoint(module: nn.Module, source: str | Path, strict: bool = True) -> dict[str, Any]:
    """Fill `module` from a path or URL in any dialect; returns what the file says about itself (`meta`).

    `strict=False` loads what fits and says what does not.
    """
    checkpoint = read_checkpoint(source)
    weights, dialect = weights_of(checkpoint, source), 'its own'
    if {'state_dict', 'ema_state_dict'} <= checkpoint.keys():
        print_log(f'{source}: the averaged weights are taken (EMAHook writes them below state_dict)', 'current')
    if is_model_wrapper(module):
        module = module.get_submodule('module')
    if weights.keys() != module.state_dict().keys():
        weights, dialect = translate(weights)
    fit(module, weights, f'{source} (dialect: {dialect})', strict)
    return checkpoint.get('meta') or {}


def fit(module: nn.Module, weights: Mapping[str, Tensor], source: str, strict: bool = True) -> None:
    """Load weights whose keys are the module's, or say which are not."""
    own = module.state_dict()
    counters = {key: own[key] for key in own if key.endswith('num_batches_tracked')}  # PyTorch 0.4 had none
    weights = counters | dict(weights)
    other = [key for key in own.keys() & weights.keys() if own[key].shape != weights[key].shape]
    faults = _faults(
        {
            'missing': own.keys() - weights.keys(),
            'left over': weights.keys() - own.keys(),
            'of another shape': {f'{key} {_shape(weights[key])}, here {_shape(own[key])}' for key in other},
        }
    )
    if faults:
        text = f'{source} does not fit {type(module).__name__} with its {len(own)} tensors: {"; ".join(faults)}.'
        if strict:
            raise Mismatch(
                f'{text} Use the config that the file was trained with (mark-up, backbone, head), or '
                'strict=False to load what fits'
            )
        print_log(text, 'current')
    module.load_state_dict({key: value for key, value in weights.items() if key not in other}, strict=False)


def _shape(tensor: Tensor) -> str:
    return str(tuple(tensor.shape))


def _faults(groups: Mapping[str, Iterable[str]], shown: int = 4) -> list[str]:
    """A sentence for each group that is not empty: how many, and the first few."""
    listed = {what: sorted(keys) for what, keys in groups.items()}
    return [
        f'{len(keys)} {what} ({", ".join(keys[:shown])}{", ..." if len(keys) > shown else ""})'
        for what, keys in listed.items()
        if keys
    ]


@FUNCTIONS.register_module()
def load_pretrained(backbone: nn.Module, source: str | Path) -> None:
    """Start weights of a backbone: ImageNet's, or those of a whole landmark network; classifier and head fall away."""
    if source == 'timm' and hasattr(backbone, 'fetch'):  # TimmBackbone's library brings its own into form
        backbone.fetch()  # type: ignore[operator]
        return
    try:
        checkpoint = read_checkpoint(source)
    except MissingResource as error:
        raise MissingResource(f'{error}. To start from scratch instead, set model.backbone.pretrained=None') from error
    weights, _ = translate(weights_of(checkpoint, source))
    named = {key.removeprefix('backbone.'): value for key, value in weights.items() if key.startswith('backbone.')}
    own = backbone.state_dict()
    kept = {key: value for key, value in named.items() if key in own or not CLASSIFIER.match(key)}
    fresh = {key: value for key, value in own.items() if key.startswith(getattr(backbone, 'fresh', ()))}
    fit(backbone, fresh | kept, str(source))


def _for_runner(filename: str, map_location: Any = None) -> dict[str, Any]:
    """A checkpoint as mmengine's Runner reads it: known dialects under our keys, no config text that it would run."""
    checkpoint = read_checkpoint(filename, map_location or 'cpu')
    weights = weights_of(checkpoint, filename)
    ours, dialect = translate(weights)
    rest = checkpoint if 'state_dict' in checkpoint else {}
    meta = {key: value for key, value in (rest.get('meta') or {}).items() if key != 'config'}
    if 'param_schedulers' in rest:  # a OneCycleLR writes its own curve, which a new one knows by itself
        rest = {**rest, 'param_schedulers': _without_stubs(rest['param_schedulers'])}
    return {**rest, 'meta': meta, 'state_dict': weights if dialect == UNKNOWN else ours}


def _without_stubs(value: Any) -> Any:
    """Lists and dicts without the entries that are no data."""
    if isinstance(value, dict):
        return {key: _without_stubs(child) for key, child in value.items() if not isinstance(child, Stub)}
    return [_without_stubs(child) for child in value] if isinstance(value, list) else value


_SCHEMES = ('', 'http://', 'https://', 'torchvision://', 'open-mmlab://', 'dla://')
CheckpointLoader.register_scheme(_SCHEMES, _for_runner, force=True)
