"""Measure the NME of exported files on annotated faces in their boxes. docs/export.md holds the figures.

    python docs/measure_int8.py ANNOTATIONS SCHEME ORIGIN FILE.onnx [FILE.onnx ...]

ANNOTATIONS is a file or folder of faces, SCHEME their landmark scheme, such as 300w, and ORIGIN the number of the first
pixel, 0 or 1. Errors are over the distance of the outer eye corners; the difference is that from the first file.
"""

import sys
from pathlib import Path

import numpy as np

from facelmk.datasets.images.decode import read_image
from facelmk.datasets.open_faces import open_faces
from facelmk.inference.runtime import load_exported
from facelmk.markups import MARKUPS


def errors_of(file: str, faces: list[dict], scheme: str) -> np.ndarray:
    """Return the error of each face in per cent."""
    model, eyes = load_exported(file, markup=scheme, threads=1), list(MARKUPS[scheme].eyes)
    errors = []
    for face in faces:
        (found,) = model(read_image(face['path']), boxes=[face['box']])
        left, right = face['landmarks'][eyes]
        distances = np.linalg.norm(found.landmarks - face['landmarks'], axis=1)
        errors.append(100 * distances.mean() / np.linalg.norm(left - right))
    return np.array(errors)


def main() -> None:
    """Print a row for each file."""
    annotations, scheme, origin, *files = sys.argv[1:]
    data = open_faces(annotations, scheme)
    faces = [data.face(i) for i in range(len(data))]
    for face in faces:
        face.update(box=face['box'] - float(origin), landmarks=face['landmarks'] - float(origin))
    first = errors_of(files[0], faces, scheme)
    for file in files:
        error = errors_of(file, faces, scheme)
        change = error - first
        size = Path(file).stat().st_size / 1e6
        figures = f'NME {error.mean():.3f} % on {len(faces)} faces, {change.mean():+.3f}'
        print(f'{Path(file).name}: {size:.2f} MB, {figures}; most of a face {np.abs(change).max():.2f}')


if __name__ == '__main__':
    main()
