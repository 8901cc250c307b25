"""Checkpoints: read without running anything, load every dialect to the last key, write whole or not at all."""
import hashlib
import os
import re
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor, nn

from ..errors import FacelmkError, MissingResource, UnknownName, near
from ..registry import FUNCTIONS
from .config import config_names, load_config
from .dialects import UNKNOWN, translate
from .download import fetch, write_whole
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
CLASSIFIER = re.compile(r'^(fc|classifier|incre_modules|downsamp_modules|final_layer|'  # of ResNet and DLA; of HRNet
                        r'level[34]\.project)\.')  # DLA's outer trees hold, but never use, these
_FORCED = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD'
FORMAT, FORMAT_KEY = 1, 'facelmk_format'  # of what save_checkpoint writes


class Mismatch(FacelmkError):
    """Weights that do not fit the network."""


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
        raise FacelmkError(f'{path} is of format {version!r}; this facelmk knows format {FORMAT}. Update it '
                           '(pip install -U facelmk)')
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
        raise FacelmkError(f'{path} is not loaded: it calls {error}, which weights never need and which could harm '
                           'this machine. Nothing of it was run. Get the file from a source that you trust') from error
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
    return FacelmkError(f'{path} ({path.stat().st_size} bytes) cannot be read as a checkpoint: {reason}. If it was '
                        'copied or downloaded, it may have been cut off: fetch it again')


def find_checkpoint(source: str | Path) -> Path:
    """The file of a checkpoint that is given by path, URL or name; what lies on the net is fetched."""
    name = str(source)
    if '://' in name:
        if not name.startswith(('http://', 'https://')) and name not in PRETRAINED:
            raise UnknownName(f'{name!r} is not the name of any weights. {near(name, PRETRAINED)}')
        return fetch(PRETRAINED.get(name, name))
    path = Path(source).expanduser()
    if not path.is_file() and name in config_names():
        return fetch(*_published(name))
    if not path.is_file():
        raise MissingResource(f'There is no checkpoint {path} (from {Path.cwd()}). {_neighbours(path)}')
    return path


def _published(name: str) -> tuple[str, str]:
    """The address of a config's published weights, and their sha256 if the config knows it."""
    result = load_config(name).get('result', {})
    if 'checkpoint' not in result:
        page = f'; they are at {result["checkpoint_page"]}' if 'checkpoint_page' in result else ''
        raise MissingResource(f'The config {name} knows no address of its weights{page}. Give a path or a URL')
    return result['checkpoint'], result.get('sha256', '')


def _neighbours(path: Path) -> str:
    if not path.parent.is_dir():
        return f'There is no folder {path.parent} either.'
    files = [p.name for p in path.parent.glob('*.pth*')]
    return near(path.name, files) if files else f'No *.pth lies in {path.parent.resolve()}.'


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
        raise FacelmkError(f'{source}: there are no weights in it, only {", ".join(map(repr, list(named)[:5]))}. '
                           "Expected a state_dict, or one below the key 'state_dict'")
    storages = {storage.data_ptr(): storage.nbytes() for storage in map(Tensor.untyped_storage, weights.values())}
    if (claimed := sum(value.nbytes for value in weights.values())) > RATIO * sum(storages.values()) + (1 << 24):
        raise FacelmkError(f'{source}: its tensors claim {claimed} bytes, {sum(storages.values())} are there. Get the '
                           'file from a source that you trust')
    broken = [key for key, value in weights.items() if not finite(value)]
    if broken:
        raise FacelmkError(f'{source}: NaN or infinite numbers in {len(broken)} of {len(weights)} tensors, first in '
                           f'{broken[0]!r}. The training that wrote it had failed: take an earlier checkpoint')
    return weights


def finite(tensor: Tensor) -> bool:
    """Whether every number of a tensor is one."""
    if not (tensor.is_floating_point() or tensor.is_complex()):
        return True
    return bool(torch.isfinite(tensor.float() if tensor.is_floating_point() and tensor.itemsize == 1 else tensor).all())


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
    faults = _faults({
        'missing': own.keys() - weights.keys(), 'left over': weights.keys() - own.keys(),
        'of another shape': {f'{key} {_shape(weights[key])}, here {_shape(own[key])}' for key in other}})
    if faults:
        text = f'{source} does not fit {type(module).__name__} with its {len(own)} tensors: {"; ".join(faults)}.'
        if strict:
            raise Mismatch(f'{text} Use the config that the file was trained with (mark-up, backbone, head), or '
                           'strict=False to load what fits')
        print_log(text, 'current')
    module.load_state_dict({key: value for key, value in weights.items() if key not in other}, strict=False)


def _shape(tensor: Tensor) -> str:
    return str(tuple(tensor.shape))


def _faults(groups: Mapping[str, Iterable[str]], shown: int = 4) -> list[str]:
    """A sentence for each group that is not empty: how many, and the first few."""
    listed = {what: sorted(keys) for what, keys in groups.items()}
    return [f'{len(keys)} {what} ({", ".join(keys[:shown])}{", ..." if len(keys) > shown else ""})'
            for what, keys in listed.items() if keys]


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


def save_checkpoint(data: Mapping[str, Any], path: str | Path) -> None:
    """Write tensors and plain data, whole or not at all; arrays become tensors, NumPy's numbers Python's."""
    written = plain({FORMAT_KEY: FORMAT} | dict(data))
    write_whole(Path(path), lambda file: torch.save(written, file))


def plain(value: Any, place: str = 'data') -> Any:
    """The same in types that every reader takes without running code."""
    if value is None or type(value) in (bool, int, float, str, bytes) or isinstance(value, Tensor):
        return value.detach() if isinstance(value, nn.Parameter) else value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, Mapping):
        return {key: plain(child, f'{place}[{key!r}]') for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        items = [plain(child, f'{place}[{i}]') for i, child in enumerate(value)]
        return items if isinstance(value, list) else tuple(items)
    kind = type(value).__doc__ if isinstance(value, Stub) else type(value).__name__
    raise FacelmkError(f'{place} is a {kind}, which a checkpoint does not hold. Give it as tensors, '
                       'numbers, text, lists and dicts')


def publish(source: str | Path, target: str | Path) -> Path:
    """Write the weights alone, under our keys, as target-<first 8 of the sha256>.pth, and return that path."""
    checkpoint, target = read_checkpoint(source), Path(target)
    weights, _ = translate(weights_of(checkpoint, source))
    meta = {key: value for key, value in (checkpoint.get('meta') or {}).items() if isinstance(value, (str, int, float))}
    private = target.with_name(f'.{target.stem}.pth')
    save_checkpoint({'meta': meta, 'state_dict': weights}, private)
    digest = hashlib.sha256(private.read_bytes()).hexdigest()[:8]
    return private.replace(target.with_name(f'{target.stem}-{digest}.pth'))


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
