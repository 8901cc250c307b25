"""Draws docs/assets/overlay.jpg: drawn faces that are in no training set, with their landmarks.

python docs/assets/make_overlay.py [--checkpoint best_NME_epoch_N.pth]: with a checkpoint the landmarks are those of the
network, without one they are the true landmarks.
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from facelmk.checkpoint import load_checkpoint  # noqa: E402
from facelmk.config import load_config  # noqa: E402
from facelmk.datasets import collate_faces  # noqa: E402  the package of this clone
from facelmk.faces import draw, save  # noqa: E402
from facelmk.markups import MARKUPS  # noqa: E402
from facelmk.registry import DATASETS, MODELS  # noqa: E402

SEED = 3  # training draws from seed 0, the test from seed 1
MAX_FILE_BYTES = 200_000


def predictions(config_name: str, checkpoint: str, faces: list[int], size: int) -> list[np.ndarray]:
    """The landmarks (K, 2) that a network predicts on the drawn faces with these numbers."""
    config = load_config(config_name)
    model = MODELS.build(config.model).eval()
    load_checkpoint(model, checkpoint)
    dataset = DATASETS.build(
        config.test_dataloader.dataset | dict(count=max(faces) + 1, seed=SEED, size=size, cache=None)
    )
    with torch.no_grad():
        batch = model.data_preprocessor(collate_faces([dataset[i] for i in faces]))
        return [face['landmarks'].numpy() for face in model(**batch, mode='predict')]


def main() -> None:
    """Draw the picture, and print where its landmarks come from."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--checkpoint', help='a checkpoint of --config; without it the true landmarks are drawn')
    parser.add_argument('--config', default='quickstart', help='default: quickstart')
    parser.add_argument('--out', default=str(Path(__file__).with_name('overlay.jpg')))
    parser.add_argument('--faces', type=int, nargs='+', default=[0, 1, 2, 3, 4, 5, 6, 7], help='numbers of the faces')
    parser.add_argument('--columns', type=int, default=4)
    parser.add_argument('--size', type=int, default=256, help='side of a picture in pixels')
    options = parser.parse_args()

    dataset = DATASETS.build(dict(type='SyntheticFaces', count=max(options.faces) + 1, seed=SEED, size=options.size))
    rows = [dataset.face(i) for i in options.faces]
    points = [row['landmarks'] for row in rows]
    if options.checkpoint:
        points = predictions(options.config, options.checkpoint, options.faces, options.size)
    tiles = [draw(row['image'], p, MARKUPS['wflw']) for row, p in zip(rows, points, strict=True)]
    lines = [np.hstack(tiles[i : i + options.columns]) for i in range(0, len(tiles), options.columns)]
    path = save(np.vstack(lines), options.out)
    for quality in range(90, 30, -10):
        if path.stat().st_size <= MAX_FILE_BYTES:
            break
        path.write_bytes(cv2.imencode('.jpg', np.vstack(lines), [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes())
    source = f'of {options.config}, {options.checkpoint}' if options.checkpoint else 'the true ones'
    print(f'{path}: {path.stat().st_size} bytes; the landmarks are {source}')


if __name__ == '__main__':
    main()
