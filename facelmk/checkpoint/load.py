"""Load weights of any dialect into a network: every key must fit, or the error names those that do not."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor, nn

from ..errors import FacelmkError, MissingResource
from ..files.notes import log_for_file
from ..registry import FUNCTIONS
from .dialects import CALIBRATION_PREFIX, BareBackbone, translate
from .objects import Stub
from .read import meta_of, read_checkpoint, weights_of


class Mismatch(FacelmkError):
    """Weights that do not fit the network."""


def load_checkpoint(module: nn.Module, source: str | Path, strict: bool = True) -> dict[str, Any]:
    """Fill `module` from a path or URL in any dialect; return the file's `meta`.

    `strict=False` loads what fits and logs the rest.
    """
    return load_content(module, read_checkpoint(source), source, strict)


def load_content(
    module: nn.Module, checkpoint: Mapping[str, Any], source: str | Path, strict: bool = True
) -> dict[str, Any]:
    """Fill `module` from what `read_checkpoint` returned for `source`, as `load_checkpoint` does."""
    weights, dialect = weights_of(checkpoint, source), 'its own'
    if {'state_dict', 'ema_state_dict'} <= checkpoint.keys():
        log_for_file(f'{source}: the averaged weights are taken (EMAHook writes them below state_dict)')
    if is_model_wrapper(module):
        module = module.get_submodule('module')
    if weights.keys() != module.state_dict().keys():
        weights, dialect = translate(weights)
    fit(module, weights, f'{source} (dialect: {dialect})', strict)
    return meta_of(checkpoint)


def fit(module: nn.Module, weights: Mapping[str, Tensor], source: str, strict: bool = True) -> None:
    """Load weights under the module's keys; raise Mismatch, or log with `strict=False`, if some do not fit."""
    expected = module.state_dict()
    optional = {key: expected[key] for key in expected if is_optional(key)}
    needed = {key: value for key, value in weights.items() if key in expected or not key.startswith(CALIBRATION_PREFIX)}
    weights = optional | needed
    misshapen = [key for key in expected.keys() & weights.keys() if expected[key].shape != weights[key].shape]
    faults = {
        'missing': expected.keys() - weights.keys(),
        'left over': weights.keys() - expected.keys(),
        'of another shape': {
            f'{key} {tuple(weights[key].shape)}, here {tuple(expected[key].shape)}' for key in misshapen
        },
    }
    if any(faults.values()):
        listed = '; '.join(_describe(fault, sorted(keys)) for fault, keys in faults.items() if keys)
        text = f'{source} does not fit {type(module).__name__} with its {len(expected)} tensors: {listed}.'
        if strict:
            raise Mismatch(
                f'{text} Use the config that the file was trained with (landmark scheme, backbone, head), or '
                'strict=False to load what fits'
            )
        print_log(text, 'current')
    module.load_state_dict({key: value for key, value in weights.items() if key not in misshapen}, strict=False)


def is_optional(key: str) -> bool:
    """Whether a checkpoint may lack this key: PyTorch 0.4 had no counters, and training writes no calibration."""
    return key.endswith('num_batches_tracked') or key.startswith(CALIBRATION_PREFIX)


def _describe(fault: str, keys: list[str], shown: int = 4) -> str:
    return f'{len(keys)} {fault} ({", ".join(keys[:shown])}{", ..." if len(keys) > shown else ""})'


@FUNCTIONS.register_module()
def load_pretrained(backbone: nn.Module, source: str | Path) -> None:
    """Load start weights into a backbone: of ImageNet or of a whole landmark network, without classifier and head."""
    if source == 'timm' and hasattr(backbone, 'fetch'):  # TimmBackbone downloads with its own library
        backbone.fetch()  # type: ignore[operator]
        return
    try:
        checkpoint = read_checkpoint(source)
    except MissingResource as error:
        raise MissingResource(f'{error}. To start from scratch instead, set model.backbone.pretrained=None') from error
    weights, _ = translate(weights_of(checkpoint, source))
    named = {key.removeprefix('backbone.'): value for key, value in weights.items() if key.startswith('backbone.')}
    expected, is_classifier = backbone.state_dict(), FUNCTIONS.get('is_classifier')
    used = {key: value for key, value in named.items() if key in expected or not is_classifier(key)}
    fresh = {key: value for key, value in expected.items() if key.startswith(getattr(backbone, 'fresh', ()))}
    fit(backbone, fresh | used, str(source))


def _for_runner(filename: str, map_location: Any = None) -> dict[str, Any]:
    """Read a checkpoint for mmengine's Runner: under our keys, and without the config text, which it would run.

    It stays on the CPU: the network and the optimizer copy what they load to the device of their parameters.
    """
    checkpoint = read_checkpoint(filename)
    weights = weights_of(checkpoint, filename)
    translated, dialect = translate(weights)
    state = checkpoint if 'state_dict' in checkpoint else {}
    meta = {key: value for key, value in meta_of(state).items() if key != 'config'}
    if 'param_schedulers' in state:  # OneCycleLR saves its function of the step; a new one has the same
        state = {**state, 'param_schedulers': _without_stubs(state['param_schedulers'])}
    weights = weights if dialect == BareBackbone.name else translated
    # training changes the network, which the calibration then no longer fits
    cleared = {key: torch.zeros_like(value) for key, value in weights.items() if key.startswith(CALIBRATION_PREFIX)}
    return {**state, 'meta': meta, 'state_dict': weights | cleared}


def _without_stubs(value: Any) -> Any:
    """Copy lists and dicts without their Stubs."""
    if isinstance(value, dict):
        return {key: _without_stubs(child) for key, child in value.items() if not isinstance(child, Stub)}
    return [_without_stubs(child) for child in value] if isinstance(value, list) else value


CheckpointLoader._schemes.clear()  # mmengine's own readers unpickle what is at openmmlab://, mmcls://, s3:// and others
CheckpointLoader.register_scheme('', _for_runner)  # '' matches every name
