"""Small valid annotation files of every format, which tests then damage."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np

SIZE = 240


def points(count: int, number: int = 0) -> np.ndarray:
    """The points of one face, with two decimals; five stand upright, as eyes, nose and mouth do."""
    if count == 5:
        return np.array([[50.25, 60], [110, 60.5], [80, 90], [55, 115], [105, 115]]) + number
    return (np.random.default_rng([count, number]).random((count, 2)) * 90 + 40).round(2)


def picture(file: Path, width: int = SIZE, height: int = SIZE) -> Path:
    """A plain picture."""
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), np.full((height, width, 3), 90, np.uint8))
    return file


def content(count: int = 2, size: int = 5, flag: int | None = 2) -> dict:
    """Return the content of a COCO-style json."""
    flags = () if flag is None else (flag,)
    return {
        'images': [{'id': i, 'file_name': f'{i}.png', 'width': SIZE, 'height': SIZE} for i in range(count)],
        'annotations': [
            {
                'id': i + 1,
                'image_id': i,
                'category_id': 1,
                'iscrowd': 0,
                'bbox': [30, 30, 120, 120],
                'keypoints': [value for x, y in points(size, i).tolist() for value in (x, y, *flags)],
            }
            for i in range(count)
        ],
        'categories': [{'id': 1, 'name': 'face'}],
    }


def write_json(file: Path, rows: dict | None = None) -> Path:
    """A COCO-style json."""
    file.write_text(json.dumps(content() if rows is None else rows))
    return file


def write_npz(file: Path, count: int = 2, size: int = 5) -> Path:
    """An archive of names, points, visible and boxes."""
    names = np.array([f'{i}.png' for i in range(count)])
    landmarks = np.array([points(size, i) for i in range(count)])
    boxes = np.array([[30, 30, 150, 150]] * count)
    np.savez(file, names=names, points=landmarks, visible=np.ones((count, size)), boxes=boxes)
    return file


def write_csv(file: Path, count: int = 2, size: int = 5) -> Path:
    """HRNet's table."""
    with file.open('w', newline='') as stream:
        writer = csv.writer(stream)
        writer.writerow(
            [
                'image_name',
                'scale',
                'center_w',
                'center_h',
                *(f'original_{i}_{axis}' for i in range(size) for axis in 'xy'),
            ]
        )
        for i in range(count):
            writer.writerow([f'{i}.png', 0.6, 90, 90, *points(size, i).ravel().tolist()])
    return file


def write_wflw(file: Path, count: int = 2) -> Path:
    """WFLW's list."""
    file.write_text(
        ''.join(
            ' '.join([*map(str, points(98, i).ravel().tolist()), '30 30 150 150 0 1 0 0 1 0', f'{i}.png']) + '\n'
            for i in range(count)
        )
    )
    return file


def write_pts(file: Path, size: int = 5, number: int = 0) -> Path:
    """300W's .pts beside a picture."""
    picture(file.with_suffix('.png'))
    rows = '\n'.join(f'{x} {y}' for x, y in points(size, number).tolist())
    file.write_text(f'version: 1\nn_points:  {size}\n{{\n{rows}\n}}\n')
    return file


def write_lapa(file: Path) -> Path:
    """One of LaPa's text files."""
    rows = '\n'.join(f'{x} {y}' for x, y in points(106).tolist())
    file.write_text(f'106\n{rows}\n')
    return file


def cofw(count: int = 2) -> dict[str, np.ndarray]:
    """COFW's variables as MATLAB shows them, without the pictures."""
    phis = np.array([np.concatenate([*points(29, i).T, np.arange(29) % 2]) for i in range(count)])
    return {'phisT': phis, 'bboxesT': np.array([[30.0, 30, 120, 120]] * count)}


def write_mat5(file: Path, packed: bool = False) -> Path:
    """COFW's variables in a file of version 5, packed or not."""
    from scipy.io import savemat

    tables = cofw()
    cells = np.empty((len(tables['phisT']), 1), object)
    for i in range(len(cells)):
        cells[i, 0] = np.full((40, 50, 3), 7 + i, np.uint8)
    savemat(file, tables | {'IsT': cells}, do_compression=packed)
    return file


def write_mat7(file: Path, count: int = 2) -> Path:
    """The same in a file of version 7.3: HDF5, columns first."""
    import h5py

    with h5py.File(file, 'w') as stored:
        tables = cofw(count)
        for name, table in tables.items():
            stored[name] = table.T
        cells = [
            stored.create_dataset(f'#refs#/{i}', data=np.full((3, 50, 40), 7 + i, np.uint8)).ref for i in range(count)
        ]
        stored.create_dataset('IsT', data=np.array([cells], dtype=h5py.ref_dtype), dtype=h5py.ref_dtype)
    return file


def write_lp(file: Path) -> Path:
    """300W-LP's .mat beside a picture."""
    from scipy.io import savemat

    picture(file.with_suffix('.png'))
    savemat(file, {'pt2d': points(68).T})
    return file
