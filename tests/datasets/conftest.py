"""Made-up annotations, written in every published format."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from facelmk.datasets import pack_key, packing


def make_faces(count: int, size: int, seed: int = 0) -> list[dict]:
    """Faces with six decimals, as in published files; two of them are in one picture."""
    rng = np.random.default_rng(seed)
    faces = []
    for i in range(count):
        points = (rng.random((size, 2)) * 90 + 30 + rng.random(2) * 60).round(6)
        low, high = np.floor(points.min(0)), np.ceil(points.max(0))
        faces.append(
            dict(
                name=f'{max(i, 1)}.png',
                points=points,
                centre=(low + high) / 2,
                scale=(high - low).max() / 200,
                box_size=float(i + 90),
            )
        )
    return faces


def write_csv(file: Path, faces: list[dict], box_size: bool = False) -> Path:
    """HRNet's table."""
    size = len(faces[0]['points'])
    head = ['image_name', 'scale', *['box_size'] * box_size, 'center_w', 'center_h']
    with file.open('w', newline='') as stream:
        writer = csv.writer(stream)
        writer.writerow(head + [f'original_{i}_{axis}' for i in range(size) for axis in 'xy'])
        for face in faces:
            writer.writerow(
                [face['name'], face['scale'], *[face['box_size']] * box_size, *face['centre'], *face['points'].ravel()]
            )
    return file


def write_json(
    file: Path,
    faces: list[dict],
    fields: tuple[str, ...] = ('center', 'scale', 'bbox'),
    flag: float = 1,
    **extra: object,
) -> Path:
    """MMPose's json, with only some of the fields."""
    names = list(dict.fromkeys(face['name'] for face in faces))
    annotations = []
    for i, face in enumerate(faces):
        x, y = face['centre'] - 100 * face['scale']
        values = dict(
            center=face['centre'].tolist(),
            scale=face['scale'],
            bbox=[x - 5, y - 5, 60.0, 50.0],
            box_size=face['box_size'],
            iscrowd=0,
        )
        points = np.concatenate([face['points'], np.full((len(face['points']), 1), flag)], 1)
        annotations.append(
            dict(
                id=i + 1,
                image_id=names.index(face['name']),
                keypoints=points.ravel().tolist(),
                **{field: values[field] for field in fields},
            )
            | extra
        )
    pictures = [dict(id=i, file_name=name, width=240, height=240) for i, name in enumerate(names)]
    file.write_text(json.dumps(dict(images=pictures, annotations=annotations, categories=[])))
    return file


def write_txt(file: Path, faces: list[dict], attributes: list[str] | None = None) -> Path:
    """WFLW's list; a face's attributes as six digits."""
    attributes = attributes or ['000000'] * len(faces)
    file.write_text(
        ''.join(
            ' '.join([*map(repr, face['points'].ravel().tolist()), '10', '20', '70', '90', *flags, face['name']]) + '\n'
            for face, flags in zip(faces, attributes, strict=True)
        )
    )
    return file


def write_pts(picture: Path, points: np.ndarray) -> Path:
    """300W's .pts beside a picture."""
    rows = '\n'.join(f'{x} {y}' for x, y in points.tolist())
    write_picture(picture)
    picture.with_suffix('.pts').write_text(f'version: 1\nn_points:  {len(points)}\n{{\n{rows}\n}}\n')
    return picture


def write_mat(file: Path, faces: list[dict], pictures: list[np.ndarray], boxes: list[list[float]]) -> Path:
    """COFW's .mat as MATLAB stores it, columns first: pictures (3, W, H) or (W, H), every second point occluded."""
    h5py = pytest.importorskip('h5py', reason='COFW needs h5py')
    kind = 'Tr' if 'train' in file.name else 'T'
    with h5py.File(file, 'w') as content:
        references = [content.create_dataset(f'#refs#/{i}', data=picture).ref for i, picture in enumerate(pictures)]
        content.create_dataset(f'Is{kind}', data=np.array([references], dtype=h5py.ref_dtype), dtype=h5py.ref_dtype)
        phis = [np.concatenate([*face['points'].T, np.arange(29) % 2]) for face in faces]
        content.create_dataset(f'phis{kind}', data=np.array(phis).T)
        content.create_dataset(f'bboxes{kind}', data=np.array(boxes, np.float64).T)
    return file


def write_picture(file: Path, width: int = 240, height: int = 240) -> Path:
    """A picture whose left half is blue and whose right half is red."""
    image = np.zeros((height, width, 3), np.uint8)
    image[:, : width // 2, 0], image[:, width // 2 :, 2] = 255, 255
    file.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(file), image)
    return file


@pytest.fixture
def faces():
    """Makes faces: count, number of points."""
    return make_faces


class Write:
    """The writers, by format."""

    csv, json, txt = staticmethod(write_csv), staticmethod(write_json), staticmethod(write_txt)
    pts, mat, picture = staticmethod(write_pts), staticmethod(write_mat), staticmethod(write_picture)


@pytest.fixture
def write() -> type[Write]:
    """Writes faces in a format."""
    return Write


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty cache folder; sets of a few faces are packed, too, and files count as settled at once."""
    monkeypatch.setattr(packing, 'MIN_BYTES', 0)
    monkeypatch.setattr(pack_key, 'SETTLED_S', -10)
    monkeypatch.setenv('FACELMK_HOME', str(tmp_path / 'home'))
    return tmp_path / 'home/packed'


@pytest.fixture
def table(tmp_path, faces, write):
    """A table of four faces."""
    return write.csv(tmp_path / 'a.csv', faces(4, 98))
