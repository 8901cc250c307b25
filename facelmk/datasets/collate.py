"""Samples become a batch."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ..errors import FacelmkError
from ..registry import FUNCTIONS


@FUNCTIONS.register_module()
def collate_faces(samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return a batch: `inputs` (B, 3, S, S) uint8, arrays stacked, ids and tags as lists, a missing norm as NaN."""
    if 'data_samples' not in samples[0]:
        raise FacelmkError(
            f'A sample has the keys {", ".join(samples[0])}. Expected inputs and data_samples. '
            "Make dict(type='PackFace') the last step of the pipeline"
        )
    rows = [sample['data_samples'] for sample in samples]
    batch: dict[str, Any] = {key: [row[key] for row in rows] for key in rows[0]}
    for key, values in batch.items():
        if isinstance(values[0], np.ndarray):
            dtype = np.float64 if key == 'warp' else np.float32
            batch[key] = torch.from_numpy(np.stack(values).astype(dtype, copy=False))
    batch['norm'] = torch.tensor([np.nan if norm is None else norm for norm in batch['norm']], dtype=torch.float64)
    return {'inputs': torch.stack([sample['inputs'] for sample in samples]), 'data_samples': batch}
