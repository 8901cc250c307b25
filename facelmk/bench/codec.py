"""Targets and decoding of a batch of heatmaps, beside MMPose's codec, which handles one face at a time."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..codecs import Heatmap
from .baseline.codec import PlainHeatmap
from .row import Options, Row, compare

K, SIDE, SIZE = 98, 64, 256  # points, cells along a map, pixels along a crop
NOISE = 0.05  # of the maps that are decoded
KINDS: dict[str, dict[str, Any]] = {
    'MSRA': dict(refine='quarter', centre='cell'),
    'unbiased': dict(refine='dark', centre='exact'),
}
DECODED = {'MSRA': 'quarter shift', 'unbiased': 'DARK'}


def rows(options: Options) -> Iterator[Row]:
    """Yield encoding and decoding for MMPose's two usual forms of heatmaps."""
    B = 16 if options.quick else 64
    shape = f'{B} x {K} x {SIDE} x {SIDE}'
    points, visible = random_points(B)
    like, maps = torch.zeros(B, K, SIDE, SIDE), {}
    for kind, form in KINDS.items():
        ours, (peer, name) = Heatmap(sigma=2.0, aligned=False, **form), peer_codec(kind == 'unbiased')
        maps[kind] = ours.encode(points, visible, like, SIZE)[0].clone()
        difference = (maps[kind] - encode_each(peer, points, visible)[0]).abs().max().item()
        yield compare(
            f'encode, {kind}, {shape}',
            lambda ours=ours: ours.encode(points, visible, like, SIZE),  # type: ignore[misc]
            lambda peer=peer: encode_each(peer, points, visible),  # type: ignore[misc]
            name,
            f'largest difference {difference:.1e}',
            seconds=options.seconds,
        )
    for kind, form in KINDS.items():
        ours, (peer, name) = Heatmap(sigma=2.0, aligned=False, **form), peer_codec(kind == 'unbiased')
        noisy = maps[kind] + NOISE * torch.rand(like.shape, generator=torch.Generator().manual_seed(1))
        yield compare(
            f'decode, {DECODED[kind]}, {shape}',
            lambda ours=ours, noisy=noisy: ours.decode(noisy, SIZE),  # type: ignore[misc]
            lambda peer=peer, noisy=noisy: decode_each(peer, noisy),  # type: ignore[misc]
            name,
            f'largest difference {cell_difference(ours, peer, noisy, visible):.1e} cells',
            seconds=options.seconds,
        )


def random_points(B: int) -> tuple[Tensor, Tensor]:
    """Points (B, K, 2) in a crop, and which of them are visible (B, K): nine of ten."""
    generator = torch.Generator().manual_seed(0)
    points = 16 + torch.rand(B, K, 2, generator=generator) * (SIZE - 32)
    return points, (torch.rand(B, K, generator=generator) > 0.1).float()


def peer_codec(unbiased: bool) -> tuple[Any, str]:
    """Return MMPose's own codec where it is installed, or else the plain code beside this module; and its name."""
    if not find_spec('mmpose'):
        return PlainHeatmap(SIZE, (SIDE, SIDE), unbiased=unbiased), 'MMPose-style code'
    import mmpose
    from mmpose.codecs import MSRAHeatmap

    codec = MSRAHeatmap(input_size=(SIZE, SIZE), heatmap_size=(SIDE, SIDE), sigma=2, unbiased=unbiased)
    return codec, f'MMPose {mmpose.__version__}'


def encode_each(codec: Any, points: Tensor, visible: Tensor) -> tuple[Tensor, Tensor]:
    """The maps (B, K, H, W) and weights (B, K) of a batch, stacked from those of each face."""
    targets = [codec.encode(face[None], seen[None]) for face, seen in zip(points.numpy(), visible.numpy(), strict=True)]
    maps, weights = ([torch.from_numpy(target[key]) for target in targets] for key in ('heatmaps', 'keypoint_weights'))
    return torch.stack(maps), torch.cat(weights)


def decode_each(codec: Any, maps: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """The points (B, K, 2) and scores (B, K) of a batch, joined from those of each face."""
    decoded = [codec.decode(face) for face in maps.numpy()]
    return np.concatenate([points for points, _ in decoded]), np.concatenate([scores for _, scores in decoded])


def cell_difference(ours: Heatmap, peer: Any, maps: Tensor, visible: Tensor) -> float:
    """The largest difference of decoded points in cells; empty maps may be anywhere, so they do not count."""
    difference = np.abs(ours.decode(maps, SIZE)[0].numpy() - decode_each(peer, maps)[0]) * SIDE / SIZE
    return float(difference[visible.numpy() > 0].max())
