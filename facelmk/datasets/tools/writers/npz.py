"""Write a NumPy archive."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ....files.atomic import write_bytes
from ....markups import Markup
from ...records import FaceRecord


def write_npz(faces: Sequence[FaceRecord], out: Path, subsets: Sequence[str], pictures: str, markup: Markup) -> None:
    """Write `names` (N,), `points` (N, K, 2), `visible` (N, K) and `boxes` (N, 4)."""
    columns = {'points': 'landmarks', 'visible': 'visible', 'boxes': 'box'}
    arrays = {column: np.stack([face[key] for face in faces]).astype(np.float32) for column, key in columns.items()}
    stream = io.BytesIO()
    np.savez_compressed(stream, names=np.array([face['name'] for face in faces]), **arrays)
    write_bytes(out, stream.getvalue())
