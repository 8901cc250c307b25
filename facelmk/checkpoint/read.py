"""Read a checkpoint from a path, URL or name as data: no code in the file runs."""

import os
import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from ..errors import FacelmkError
from .find import find_checkpoint
from .limits import check_file, check_loaded
from .safetensors import is_safetensors, read_safetensors
from .unpickle import INERT_PICKLE, Stub, is_harmful, module_tensors

FORMAT, FORMAT_KEY = 1, 'facelmk_format'  # of what save_checkpoint writes
_FORCE_TORCH_READER = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD'
# torch's own reader allows more than these, some of which may take very long (_codecs.encode with idna)
_TORCH_READS = re.compile(
    r'collections OrderedDict|torch \w+Storage|torch\._utils _rebuild_(tensor|tensor_v2|parameter)'
)


def read_checkpoint(source: str | Path, map_location: Any = 'cpu') -> dict[str, Any]:
    """Return what a checkpoint holds; `source` is a path, a URL, a config's name or a name in PRETRAINED.

    Objects other than tensors, arrays and plain data become a Stub.
    """
    path = find_checkpoint(source)
    with path.open('rb') as file:  # one open file: the bytes that were checked are the bytes that are read
        content = read_safetensors(file, path) if is_safetensors(file.read(9)) else _read(path, file, map_location)
    if not isinstance(content, dict):
        return {'state_dict': content}
    if (version := content.pop(FORMAT_KEY, FORMAT)) != FORMAT:
        raise FacelmkError(
            f'{path} has format {version!r}. This facelmk knows format {FORMAT}. Update facelmk: git pull'
        )
    return content


def _read(path: Path, file: BinaryIO, map_location: Any) -> Any:
    """Check a file of torch, load it, check what it holds."""
    try:
        file.seek(0)
        names = check_file(file)
        if harmful := sorted(filter(is_harmful, names)):
            raise FacelmkError(
                f'{path} is not loaded: it calls {harmful[0].replace(" ", ".")}, which weights never need and which '
                'could harm this machine. Nothing of it was run. Get the file from a source that you trust'
            )
        content = _load(file, names, map_location)
        check_loaded(content, path.stat().st_size)
        return content
    except FacelmkError:
        raise
    except Exception as error:  # torch raises a dozen kinds here
        raise FacelmkError(
            f'{path} ({path.stat().st_size} bytes) cannot be read as a checkpoint: '
            f'{str(error)[:300] or type(error).__name__}. If it was copied or downloaded, it may have been cut off: '
            'fetch it again'
        ) from error


def _load(file: BinaryIO, names: set[str], map_location: Any) -> Any:
    """Load with torch's own reader of weights; what it refuses, with our inert unpickler."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # about old formats and changed classes, which are not used
        if all(map(_TORCH_READS.fullmatch, names)):
            try:
                file.seek(0)
                return torch.load(file, map_location, weights_only=True)
            except pickle.UnpicklingError:  # an opcode that it does not know
                pass
        file.seek(0)
        forced = os.environ.pop(_FORCE_TORCH_READER, None)
        try:
            return torch.load(file, map_location, pickle_module=INERT_PICKLE, weights_only=False)
        finally:
            if forced is not None:
                os.environ[_FORCE_TORCH_READER] = forced


def weights_of(checkpoint: Mapping[str, Any], source: str | Path) -> dict[str, Tensor]:
    """Return the named tensors of a checkpoint: plain, below 'state_dict' or 'model', or of a pickled network.

    mmengine's EMAHook writes the averaged weights below 'state_dict' and those being trained below 'ema_state_dict'.
    """
    content: Any = checkpoint
    for key in ('state_dict', 'model', 'ema_state_dict'):
        if isinstance(content, Mapping) and isinstance(content.get(key), (Mapping, Stub)):
            content = content[key]
            if key == 'ema_state_dict':
                content = {name: value for name, value in content.items() if name != 'steps'}  # a counter
    named = dict(module_tensors(content)) if isinstance(content, Stub) else content
    weights = {key: value for key, value in named.items() if isinstance(value, Tensor)}
    if not weights:
        raise FacelmkError(
            f'{source}: there are no weights in it, only {", ".join(map(repr, list(named)[:5]))}. '
            "Expected a state_dict, or one below the key 'state_dict'"
        )
    if broken := [key for key, value in weights.items() if not finite(value)]:
        raise FacelmkError(
            f'{source}: NaN or infinite numbers in {len(broken)} of {len(weights)} tensors, first in {broken[0]!r}. '
            'The training that wrote it had failed: take an earlier checkpoint'
        )
    return weights


def finite(tensor: Tensor) -> bool:
    """Whether a tensor has neither NaN nor infinity."""
    if not (tensor.is_floating_point() or tensor.is_complex()):
        return True
    return bool(torch.isfinite(tensor.float() if tensor.is_floating_point() and tensor.itemsize == 1 else tensor).all())
