"""Small annotation files as annotation tools write them: each face is a dict(name=picture, points={label: (x, y)})."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Face = Mapping[str, Any]


def labelled(faces: Sequence[dict], labels: Sequence[str] | None = None) -> list[Face]:
    """Faces of `make_faces` with a label for each point: its number, by default."""
    return [
        {
            'name': face['name'],
            'points': dict(zip(labels or map(str, range(len(face['points']))), face['points'].tolist(), strict=True)),
        }
        for face in faces
    ]


def pictures_of(faces: Sequence[Face]) -> dict[str, list[Face]]:
    """The faces of each picture."""
    groups: dict[str, list[Face]] = {}
    for face in faces:
        groups.setdefault(face['name'], []).append(face)
    return groups


def write_cvat(file: Path, faces: Sequence[Face], kind: str = 'skeleton', size: int = 240) -> Path:
    """CVAT's XML: a face is a skeleton, one <points> of all points, or <points> for each, in a group."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>', '<annotations>', '<version>1.1</version>', '<meta/>']
    for number, (name, some) in enumerate(pictures_of(faces).items()):
        lines.append(f'<image id="{number}" name="{name}" width="{size}" height="{size}">')
        for group, face in enumerate(some, 1):
            pairs = {label: f'{x},{y}' for label, (x, y) in face['points'].items()}
            if kind == 'points':
                lines.append(f'<points label="face" occluded="0" points="{";".join(pairs.values())}"/>')
                continue
            of_group = f' group_id="{group}"' if kind == 'group' else ''
            inner = [
                f'<points label="{label}" outside="0" occluded="1" points="{pair}"{of_group}/>'
                for label, pair in pairs.items()
            ]
            lines += inner if kind in ('group', 'single') else ['<skeleton label="face">', *inner, '</skeleton>']
        lines.append('</image>')
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('\n'.join([*lines, '</annotations>']), encoding='utf-8')
    return file


def write_dlib(file: Path, faces: Sequence[Face]) -> Path:
    """The XML of dlib's imglab."""
    lines = ["<?xml version='1.0' encoding='utf-8'?>", '<dataset>', '<name>faces</name>', '<images>']
    for name, some in pictures_of(faces).items():
        lines.append(f"<image file='{name}'>")
        for face in some:
            lines.append("<box top='20' left='10' width='200' height='180'>")
            lines += [f"<part name='{int(label):02d}' x='{x}' y='{y}'/>" for label, (x, y) in face['points'].items()]
            lines.append('</box>')
        lines.append('</image>')
    file.write_text('\n'.join([*lines, '</images>', '</dataset>']), encoding='utf-8')
    return file


def write_labelme(folder: Path, faces: Sequence[Face], groups: bool = True) -> Path:
    """A json for each picture."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, some in pictures_of(faces).items():
        shapes = [
            dict(label=label, points=[list(point)], group_id=i if groups else None, shape_type='point', flags={})
            for i, face in enumerate(some, 1)
            for label, point in face['points'].items()
        ]
        content = dict(version='5.4.1', flags={}, shapes=shapes, imagePath=name, imageData=None)
        (folder / f'{Path(name).stem}.json').write_text(json.dumps(content), encoding='utf-8')
    return folder


def write_label_studio(file: Path, faces: Sequence[Face], size: int = 240, minimal: bool = False) -> Path:
    """The export JSON or JSON-MIN, with points in per cent."""
    tasks = []
    for number, (name, some) in enumerate(pictures_of(faces).items(), 1):
        about = dict(original_width=size, original_height=size, image_rotation=0)
        values = [
            dict(x=100 * x / size, y=100 * y / size, width=0.4, keypointlabels=[label])
            for face in some
            for label, (x, y) in face['points'].items()
        ]
        if minimal:
            tasks.append(dict(id=number, image=name, kp=[about | value for value in values]))
        else:
            result = [about | dict(id=str(i), type='keypointlabels', value=value) for i, value in enumerate(values)]
            tasks.append(dict(id=number, data=dict(image=name), annotations=[dict(result=result)]))
    file.write_text(json.dumps(tasks), encoding='utf-8')
    return file


def human_face(rng: np.random.Generator, names: Sequence[str], size: int = 240) -> dict[str, tuple[float, float]]:
    """Points of a face, by the part that their names say: eyes above the nose, the mouth below, left on the left."""
    places = {'eye': (0.3, 0.4), 'brow': (0.3, 0.3), 'ear': (0.1, 0.45), 'mouth': (0.36, 0.75)}
    points = {}
    for name in names:
        part = next((part for part in places if part in name), None)
        x, y = places[part] if part else (0.5, 0.6)
        x = 1 - x if 'right' in name else x
        points[name] = tuple((size * (np.array((x, y)) + rng.normal(0, 0.01, 2))).round(2).tolist())
    return points
