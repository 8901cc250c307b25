"""What a checkpoint file holds: found by path, address or name, and read without running anything in it."""

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from ..errors import FacelmkError, MissingResource, UnknownName, did_you_mean
from ..files.download import fetch
from ..registry import FUNCTIONS
from .file_headers import RATIO, refuse
from .safetensors import is_safetensors, read_safetensors
from .unpickle import Stub, Suspicious, data_only, measure, tensors

PRETRAINED = {
    'torchvision://resnet18': 'https://download.pytorch.org/models/resnet18-f37072fd.pth',
    'torchvision://resnet50': 'https://download.pytorch.org/models/resnet50-0676ba61.pth',
    'torchvision://resnet101': 'https://download.pytorch.org/models/resnet101-63fe2227.pth',
    'open-mmlab://msra/hrnetv2_w18': 'https://download.openmmlab.com/pretrain/third_party/hrnetv2_w18-00eb2006.pth',
    'open-mmlab://msra/hrnetv2_w32': 'https://download.openmmlab.com/pretrain/third_party/hrnetv2_w32-dc9eeb4f.pth',
    'open-mmlab://msra/hrnetv2_w48': 'https://download.openmmlab.com/pretrain/third_party/hrnetv2_w48-d2186c55.pth',
    'dla://dla34': 'http://dl.yf.io/dla/models/imagenet/dla34-ba72cf86.pth',  # http, but its name has the hash
}
_FORCED = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD'
FORMAT, FORMAT_KEY = 1, 'facelmk_format'  # of what save_checkpoint writes


def read_checkpoint(source: str | Path, map_location: Any = 'cpu') -> dict[str, Any]:
    """What a checkpoint holds, from a path, a URL, a config's name or one of PRETRAINED; no code in the file is run.

    What is neither tensor, array nor plain data comes as a Stub.
    """
    path = find_checkpoint(source)
    with path.open('rb') as file:  # opened once: what was looked at is what is read
        found = read_safetensors(path) if is_safetensors(file.read(9)) else _read(path, file, map_location)
    if not isinstance(found, dict):
        return {'state_dict': found}
    if (version := found.pop(FORMAT_KEY, FORMAT)) != FORMAT:
        raise FacelmkError(
            f'{path} is of format {version!r}; this facelmk knows format {FORMAT}. Update it (pip install -U facelmk)'
        )
    return found


def _read(path: Path, file: BinaryIO, map_location: Any) -> Any:
    try:
        file.seek(0)
        refuse(file)
        file.seek(0)
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # old formats, changed sources of classes: nothing of that is used
            found = _load(file, map_location)
        measure(found)
        return found
    except Suspicious as error:
        raise FacelmkError(
            f'{path} is not loaded: it calls {error}, which weights never need and which could harm '
            'this machine. Nothing of it was run. Get the file from a source that you trust'
        ) from error
    except Exception as error:  # torch raises a dozen kinds here
        reason = str(error)[:300] or type(error).__name__
        too_large = isinstance(error, MemoryError) or 'alloc_cpu' in reason
        raise _unreadable(path, 'it claims more memory than there is' if too_large else reason) from error


def _load(file: BinaryIO, map_location: Any) -> Any:
    """Read by our own unpickler, also where torch is told to allow none but its own."""
    told = os.environ.pop(_FORCED, None)
    try:
        return torch.load(file, map_location, pickle_module=data_only(), weights_only=False)
    finally:
        if told is not None:
            os.environ[_FORCED] = told


def _unreadable(path: Path, reason: str) -> FacelmkError:
    return FacelmkError(
        f'{path} ({path.stat().st_size} bytes) cannot be read as a checkpoint: {reason}. If it was '
        'copied or downloaded, it may have been cut off: fetch it again'
    )


def find_checkpoint(source: str | Path) -> Path:
    """The file of a checkpoint that is given by path, URL or name; what lies on the net is fetched."""
    name = str(source)
    if '://' in name:
        if not name.startswith(('http://', 'https://')) and name not in PRETRAINED:
            raise UnknownName(f'{name!r} is not the name of any weights. {did_you_mean(name, PRETRAINED)}')
        return fetch(PRETRAINED.get(name, name))
    path = Path(source).expanduser()
    if not path.is_file() and (published := FUNCTIONS.get('published_weights')(name)):
        return fetch(*published)
    if not path.is_file():
        raise MissingResource(f'There is no checkpoint {path} (from {Path.cwd()}). {_neighbours(path)}')
    return path


def _neighbours(path: Path) -> str:
    if not path.parent.is_dir():
        return f'There is no folder {path.parent} either.'
    files = [p.name for p in path.parent.glob('*.pth*')]
    return did_you_mean(path.name, files) if files else f'No *.pth lies in {path.parent.resolve()}.'


def weights_of(checkpoint: Mapping[str, Any], source: str | Path) -> dict[str, Tensor]:
    """The named tensors of a checkpoint: plain, below 'state_dict' or 'model', or of a network pickled whole.

    mmengine's EMAHook writes the averaged weights below 'state_dict' and those being trained below 'ema_state_dict'.
    """
    found: Any = checkpoint
    for key in ('state_dict', 'model', 'ema_state_dict'):
        if isinstance(found, Mapping) and isinstance(found.get(key), (Mapping, Stub)):
            found = found[key]
            if key == 'ema_state_dict':
                found = {name: value for name, value in found.items() if name != 'steps'}  # how many were averaged
    named = dict(tensors(found)) if isinstance(found, Stub) else found
    weights = {key: value for key, value in named.items() if isinstance(value, Tensor)}
    if not weights:
        raise FacelmkError(
            f'{source}: there are no weights in it, only {", ".join(map(repr, list(named)[:5]))}. '
            "Expected a state_dict, or one below the key 'state_dict'"
        )
    storages = {storage.data_ptr(): storage.nbytes() for storage in map(Tensor.untyped_storage, weights.values())}
    if (claimed := sum(value.nbytes for value in weights.values())) > RATIO * sum(storages.values()) + (1 << 24):
        raise FacelmkError(
            f'{source}: its tensors claim {claimed} bytes, {sum(storages.values())} are there. Get the '
            'file from a source that you trust'
        )
    broken = [key for key, value in weights.items() if not finite(value)]
    if broken:
        raise FacelmkError(
            f'{source}: NaN or infinite numbers in {len(broken)} of {len(weights)} tensors, first in '
            f'{broken[0]!r}. The training that wrote it had failed: take an earlier checkpoint'
        )
    return weights


def finite(tensor: Tensor) -> bool:
    """Whether every number of a tensor is one."""
    if not (tensor.is_floating_point() or tensor.is_complex()):
        return True
    return bool(torch.isfinite(tensor.float() if tensor.is_floating_point() and tensor.itemsize == 1 else tensor).all())
