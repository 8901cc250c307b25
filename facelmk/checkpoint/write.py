"""Write checkpoints of plain data by an atomic write."""

import hashlib
import io
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import FacelmkError
from ..files.atomic import atomic_write, write_bytes
from ..markups import MAPS, MARKUPS
from .dialects import CALIBRATION_PREFIX, translate
from .objects import Stub
from .read import FORMAT, FORMAT_KEY, finite, meta_of, read_checkpoint, weights_of
from .safetensors import to_safetensors


def save_checkpoint(data: Mapping[str, Any], path: str | Path) -> None:
    """Write tensors and plain data; arrays become tensors, NumPy's numbers Python's."""
    atomic_write(Path(path), lambda file: _dump(data, file))


def _dump(data: Mapping[str, Any], file: BinaryIO) -> None:
    torch.save(plain({FORMAT_KEY: FORMAT} | dict(data)), file)


def plain(value: Any, key: str = 'data') -> Any:
    """Copy a value into types that every reader takes without running code; `key` is its name in an error.

    Tensors are in the usual order of memory, whatever order the network computes in.
    """
    if value is None or type(value) in (bool, int, float, str, bytes):
        return value
    if isinstance(value, Tensor):
        return (value.detach() if isinstance(value, nn.Parameter) else value).contiguous()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, Mapping):
        return {name: plain(child, f'{key}[{name!r}]') for name, child in value.items()}
    if isinstance(value, (list, tuple)):
        items = [plain(child, f'{key}[{i}]') for i, child in enumerate(value)]
        return items if isinstance(value, list) else tuple(items)
    kind = value.qualified_name if isinstance(value, Stub) else type(value).__name__
    raise FacelmkError(
        f'{key} is a {kind}, which a checkpoint does not hold. Give it as tensors, numbers, text, lists and dicts'
    )


def publish(
    source: str | Path,
    target: str | Path,
    markup: str | None = None,
    day: date | None = None,
    half: bool = False,
    config_text: str | None = None,
) -> Path:
    """Write what `pack` returns as target-<first 8 of the sha256>.pth, and return that path.

    With `day`, the name ends in _<date>.pth, as those of MMPose. A target that ends in .safetensors is one.
    """
    target = Path(target)
    suffix = '.safetensors' if target.suffix.lower() == '.safetensors' else '.pth'
    content = pack(source, markup, half, config_text, suffix)
    digest = hashlib.sha256(content).hexdigest()[:8]
    path = target.with_name(f'{target.stem}-{digest}{"" if day is None else f"_{day:%Y%m%d}"}{suffix}')
    write_bytes(path, content)
    return path


def pack(
    source: str | Path,
    markup: str | None = None,
    half: bool = False,
    config_text: str | None = None,
    suffix: str = '.pth',
) -> memoryview:
    """Return the bytes of a small checkpoint: the weights alone, under our keys, and what describes them in its meta.

    `markup` keeps one landmark scheme of a network that joins several: 'wflw' or '300w' of 'wflw_300w'. `half` rounds
    the weights of convolutions to float16; they are float32 again in the network that loads them. `config_text`
    replaces the text of the config, by which `facelmk.load` builds the network of the file. `suffix` is that of the
    file; in '.safetensors' the numbers of the metadata are texts.
    """
    checkpoint = read_checkpoint(source)
    weights, _ = translate(weights_of(checkpoint, source))
    meta = _simple_meta(checkpoint)
    if config_text is not None:
        meta['cfg'] = config_text
    if markup is not None:
        weights, meta = _keep_scheme(weights, meta, markup, source)
    if half:
        weights = {key: _halve(value, key) for key, value in weights.items()}
    if suffix == '.safetensors':
        return to_safetensors(weights, meta)
    content = io.BytesIO()
    _dump({'meta': meta, 'state_dict': weights}, content)
    return content.getbuffer()


def _halve(weight: Tensor, key: str) -> Tensor:
    """The weights of a convolution as float16; other tensors, such as those of BatchNorm, as they are."""
    if weight.ndim != 4 or not weight.is_floating_point():
        return weight
    rounded = weight.half()
    if not finite(rounded):
        raise FacelmkError(f'{key} has values of up to {weight.abs().max():g}, too large for float16. Omit half')
    return rounded


def add_weights(
    source: str | Path, target: str | Path, tensors: Mapping[str, Tensor], notes: Mapping[str, str]
) -> None:
    """Write the weights of a checkpoint, under our keys, together with others; `notes` go into its metadata."""
    checkpoint = read_checkpoint(source)
    own, _ = translate(weights_of(checkpoint, source))
    save_checkpoint({'meta': {**_simple_meta(checkpoint), **notes}, 'state_dict': {**own, **tensors}}, target)


def _simple_meta(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """The text and numbers of a checkpoint's metadata."""
    return {key: value for key, value in meta_of(checkpoint).items() if isinstance(value, (str, int, float))}


def _keep_scheme(
    weights: Mapping[str, Tensor], meta: dict[str, Any], markup: str, source: str | Path
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The weights and metadata of a network with the maps of one landmark scheme alone."""
    text = str(meta.get('cfg', ''))
    line = re.search(r"(?m)^    markup='(\w+)',", text)  # of the model, as mmengine writes it
    joined = line[1] if line else None
    if line is None or joined is None or (joined, markup) not in MAPS:
        raise FacelmkError(
            f'{source}: its landmark scheme is {joined!r}, which does not contain {markup!r}. Omit markup'
        )
    rows = [i for weighted in MAPS[joined, markup].values() for i in weighted]
    last = {f'head.final_layer.{name}' for name in ('weight', 'bias')}
    of_points = last | {f'{CALIBRATION_PREFIX}{name}' for name in ('scale', 'power')}
    size = MARKUPS[joined].size
    if len(rows) != MARKUPS[markup].size or not all(key in weights and len(weights[key]) == size for key in last):
        raise FacelmkError(f'{source}: its last layer is not a HeatmapHead with {size} maps. Publish it without markup')
    kept = {key: value[rows].clone() if key in of_points else value for key, value in weights.items()}
    return kept, meta | {'cfg': text[: line.start(1)] + markup + text[line.end(1) :]}
