"""Read a checkpoint from a path, URL or name as data: no code in the file runs."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import FacelmkError
from ..files.collector import pause_collector
from .building import HarmfulName
from .containers import read_torch_file
from .find import find_checkpoint
from .limits import check_content, shorten
from .objects import MAX_NAME_LETTERS, Stub, is_name, module_tensors
from .safetensors import is_safetensors, read_safetensors

FORMAT, FORMAT_KEY = 1, 'facelmk_format'  # of what save_checkpoint writes


def read_checkpoint(source: str | Path) -> dict[str, Any]:
    """Return what a checkpoint holds, on the CPU; `source` is a path, a URL, a config's name or a name in PRETRAINED.

    Objects other than tensors, arrays and plain data become a Stub.
    """
    path = find_checkpoint(source)
    content = read_content(path)
    version = content.pop(FORMAT_KEY, FORMAT)
    if type(version) is not int or version != FORMAT:
        raise FacelmkError(
            f'{path} has format {shorten(repr(version))}. This facelmk knows format {FORMAT}. Update facelmk: git pull'
        )
    return content


def read_content(path: Path, numbers: bool = True) -> dict[str, Any]:
    """Return what a file of torch or safetensors holds, of any format; anything but a dict lies below `state_dict`.

    Without `numbers`, only the shapes of tensors are read; the tensors are on torch's device `meta`.
    """
    size = 0
    try:
        with path.open('rb') as file, pause_collector():
            size, start = os.fstat(file.fileno()).st_size, file.read(9)
            content = read_safetensors(file, size) if is_safetensors(start) else read_torch_file(file, size, numbers)
            check_content(content, size)
        return content if isinstance(content, dict) else {'state_dict': content}
    except HarmfulName as error:
        raise FacelmkError(
            f'{path} is not loaded: it calls {str(error).replace(" ", ".")}, which weights never need and which could '
            'harm this machine. Nothing of it was run. Get the file from a source that you trust'
        ) from error
    except Exception as error:  # whatever the listed functions of torch and NumPy raise
        raise FacelmkError(
            f'{path} ({size} bytes) cannot be read as a checkpoint: {str(error)[:300] or type(error).__name__}. If it '
            'was copied or downloaded, it may have been cut off: fetch it again'
        ) from error


def meta_of(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a checkpoint says about itself: a copy of its `meta`, if that is a dict with texts for keys."""
    meta = checkpoint.get('meta')
    return {key: value for key, value in meta.items() if isinstance(key, str)} if isinstance(meta, dict) else {}


def weights_of(checkpoint: Mapping[str, Any], source: str | Path) -> dict[str, Tensor]:
    """Return the named tensors of a checkpoint: plain, below 'state_dict' or 'model', or of a pickled network.

    mmengine's EMAHook writes the averaged weights below 'state_dict' and those being trained below 'ema_state_dict'.
    """
    content: Any = checkpoint
    for key in ('state_dict', 'model', 'ema_state_dict'):
        if isinstance(content, Mapping) and isinstance(content.get(key), (Mapping, Stub)):
            content = content[key]
            if key == 'ema_state_dict' and isinstance(content, Mapping):
                content = {name: value for name, value in content.items() if name != 'steps'}  # a counter
    named = dict(module_tensors(content)) if isinstance(content, Stub) else content
    if not isinstance(named, Mapping):
        raise FacelmkError(
            f'{source}: it holds a {type(named).__name__}. Expected a state_dict. Save that of the network'
        )
    weights = {key: value for key, value in named.items() if isinstance(value, Tensor)}
    if not weights:
        raise FacelmkError(
            f'{source}: there are no weights in it, only {", ".join(shorten(repr(key)) for key in list(named)[:5])}. '
            "Expected a state_dict, or one below the key 'state_dict'"
        )
    if odd := [key for key in weights if not is_name(key)]:
        raise FacelmkError(
            f'{source}: a tensor in it has the name {shorten(repr(odd[0]))}. Expected a text of at most '
            f'{MAX_NAME_LETTERS} printable letters. Save the state_dict of the network'
        )
    if broken := [key for key, value in weights.items() if not finite(value)]:
        raise FacelmkError(
            f'{source}: NaN or infinite numbers in {len(broken)} of {len(weights)} tensors, first in {broken[0]!r}. '
            'The training that wrote it had failed: take an earlier checkpoint'
        )
    return weights


def finite(tensor: Tensor) -> bool:
    """Whether a tensor has neither NaN nor infinity."""
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor.detach().resolve_conj())
    if not tensor.is_floating_point() or not tensor.numel():
        return True
    least, most = torch.aminmax(tensor.bfloat16() if tensor.itemsize == 1 else tensor)  # without a copy in its size
    return bool(torch.isfinite(least) & torch.isfinite(most))
