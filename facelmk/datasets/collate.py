"""Samples become a batch."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import default_collate

from ..errors import FacelmkError
from ..registry import FUNCTIONS


@FUNCTIONS.register_module()
def collate_faces(samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return a batch: `inputs` (B, 3, S, S) uint8, arrays stacked, ids and tags as lists, a missing norm as NaN."""
    check_packed(samples, 'PackFace')
    rows = [sample['data_samples'] for sample in samples]
    batch: dict[str, Any] = {key: [row[key] for row in rows] for key in rows[0]}
    for key, values in batch.items():
        if isinstance(values[0], np.ndarray):
            dtype = np.float64 if key == 'warp' else np.float32
            batch[key] = torch.from_numpy(np.stack(values).astype(dtype, copy=False))
    batch['norm'] = torch.tensor([np.nan if norm is None else norm for norm in batch['norm']], dtype=torch.float64)
    return {'inputs': _stack_inputs(samples), 'data_samples': batch}


@FUNCTIONS.register_module()
def collate_scenes(samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return a batch: `inputs` (B, 3, S, S) uint8, `warp` (B, 3, 3), and for each scene its boxes, ids and tags.

    `boxes` and `crop_boxes` are lists of B tensors (N, 4), `ignored` is a list of B tensors (N,) of bool.
    """
    check_packed(samples, 'PackScene')
    rows = [sample['data_samples'] for sample in samples]
    batch: dict[str, Any] = {key: [row[key] for row in rows] for key in rows[0]}
    for key in ('boxes', 'crop_boxes', 'ignored'):
        batch[key] = [torch.from_numpy(np.ascontiguousarray(value)) for value in batch[key]]
    batch['warp'] = torch.from_numpy(np.stack(batch['warp']).astype(np.float64, copy=False))
    return {'inputs': _stack_inputs(samples), 'data_samples': batch}


def _stack_inputs(samples: Sequence[dict[str, Any]]) -> torch.Tensor:
    """Return the pictures (B, 3, S, S). In a worker, torch stacks them in shared memory, which saves a copy."""
    inputs: torch.Tensor = default_collate([sample['inputs'] for sample in samples])
    return inputs


def check_packed(samples: Sequence[dict[str, Any]], step: str) -> None:
    """Refuse samples of a pipeline that does not end with the step that packs them."""
    if 'data_samples' not in samples[0]:
        raise FacelmkError(
            f'A sample has the keys {", ".join(samples[0])}. Expected inputs and data_samples. '
            f'Make dict(type={step!r}) the last step of the pipeline'
        )
