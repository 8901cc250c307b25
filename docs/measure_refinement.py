"""Prints the table of refinement in docs/predict.md, on LFPW's validation faces (data/lfpw68).

python docs/measure_refinement.py [MODEL] [--detector NAME]: the normalised mean error of the 68 points by the number of
refinement passes, from the boxes of the detector and from tight boxes with noise.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import facelmk  # noqa: E402  the package of this clone
from facelmk.config import load_config  # noqa: E402
from facelmk.faces import Faces  # noqa: E402
from facelmk.geometry import overlaps, tight_box  # noqa: E402
from facelmk.markups import convert  # noqa: E402
from facelmk.registry import DATASETS  # noqa: E402

SCHEME, EYES = '300w', (36, 45)
NOISE = {'± 8 %, × 0.8 to 1.25': (0.08, 1.25), '± 20 %, × 0.67 to 1.5': (0.2, 1.5)}  # shift by the side, scale
LEAST_OVERLAP = 0.3  # of a detected box and the face that it is counted for


def noisy(box: np.ndarray, shift: float, scale: float, random: np.random.Generator) -> np.ndarray:
    """The box after a random shift by a share of its longer side and a random change of its size."""
    centre, sides = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
    centre = centre + random.uniform(-shift, shift, 2) * sides.max()
    half = sides / 2 * scale ** random.uniform(-1, 1)
    return np.concatenate((centre - half, centre + half))


def error(faces: Faces, truth: np.ndarray) -> float:
    """The error in per cent of the face that overlaps the true one most; NaN if there is none."""
    overlap = [overlaps([tight_box(face.landmarks)], [tight_box(truth)])[0, 0] for face in faces]
    if not overlap or max(overlap) < LEAST_OVERLAP:
        return np.nan
    face = faces[int(np.argmax(overlap))]
    landmarks, _ = convert(face.landmarks, np.ones(len(face.landmarks)), face.markup.name, SCHEME)
    return 100 * np.linalg.norm(landmarks - truth, axis=1).mean() / np.linalg.norm(truth[EYES[0]] - truth[EYES[1]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('model', nargs='?', default='facelmk_nano')
    parser.add_argument('--detector', default='auto')
    options = parser.parse_args()
    config = load_config('facelmk_nano_lfpw').val_dataloader.dataset
    dataset = DATASETS.build(config.get('dataset', config))
    rows = [dataset.face(i) for i in range(len(dataset))]
    truths = [np.asarray(row['landmarks'])[-68:] for row in rows]
    boxes = [tight_box(truth) for truth in truths]
    model = facelmk.load(options.model, device='cpu', detector=options.detector)
    random = np.random.default_rng(0)
    sources: dict[str, Callable[[int], Any]] = {
        'tight': lambda i: [boxes[i]],
        f'detector {model.detector!r}': lambda i: None,
    }
    for name, noise in NOISE.items():
        drawn = [noisy(box, *noise, random) for box in boxes]
        sources[name] = lambda i, drawn=drawn: [drawn[i]]
    print(f'{options.model}, {len(rows)} faces | 0 passes | 1 | 2 | 3\n|---|---|---|---|---|')
    for name, boxes_of in sources.items():
        cells = []
        for passes in range(4):
            streamed = model.stream([row['path'] for row in rows], map(boxes_of, range(len(rows))), refine=passes)
            errors = np.array([error(faces, truth) for faces, truth in zip(streamed, truths, strict=True)])
            missed = f' ({np.isnan(errors).sum()} missed)' if np.isnan(errors).any() else ''
            cells.append(f'{np.nanmean(errors):.2f}{missed}')
        print(f'| {name} | {" | ".join(cells)} |', flush=True)


if __name__ == '__main__':
    main()
