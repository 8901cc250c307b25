"""Scenes, which a face detector is trained and tested on: pictures with a box around each face.

A scene is a flat dict: id, path or image (H, W, 3), boxes (N, 4), ignored (N,), tags. A box is tight around the
landmarks of a face. An ignored face counts neither as a face nor as background.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import FacelmkError
from ..geometry import exact_box
from ..registry import DATASETS
from .base import FaceDataset, FaceRecord, SampleDataset, Transform
from .joined import JoinedFaces, build_without_pipeline
from .records import is_valid

SceneRecord = FaceRecord


class SceneDataset(SampleDataset):
    """Scenes, run through a pipeline of transforms; `subsets` are the tags that a result table shows, in its order."""

    subsets: tuple[str, ...] = ()
    sample_name = 'scene'

    def __init__(self, pipeline: Sequence[dict | Transform] = (), subsets: Sequence[str] | None = None) -> None:
        self.subsets = tuple(self.subsets if subsets is None else subsets)
        super().__init__(pipeline)

    @property
    def metainfo(self) -> dict[str, Any]:
        """What the metrics need to know: the subsets in the order of the table."""
        return {'subsets': self.subsets}

    def scene(self, index: int) -> SceneRecord:
        """Return a new dict: id, path or image, boxes, ignored, tags."""
        raise TypeError(f'{type(self).__name__} must define scene(index): what a scene is')

    def scene_in_epoch(self, seed: int, epoch: int, index: int) -> SceneRecord:
        """Return the scene at an index in one epoch of a run; only a set that draws new scenes differs from `scene`."""
        return self.scene(index)

    def sample(self, seed: int, epoch: int, index: int) -> SceneRecord:
        return self.scene_in_epoch(seed, epoch, index)


@DATASETS.register_module()
class FacesInPictures(SceneDataset):
    """The pictures of a data set of faces as scenes: each picture once, with the tight boxes of all its faces.

    A picture can show more faces than its annotations name, so false alarms on such scenes need a second look.
    """

    def __init__(
        self,
        dataset: FaceDataset | Mapping[str, Any],
        pipeline: Sequence[dict | Transform] = (),
        subsets: Sequence[str] | None = None,
    ) -> None:
        self.dataset = build_without_pipeline(dataset)
        super().__init__(pipeline, self.dataset.subsets if subsets is None else subsets)
        self.rows = _rows_of_pictures(self.dataset)

    def __len__(self) -> int:
        return len(self.rows)

    def scene(self, index: int) -> SceneRecord:
        faces = [self.dataset.face(row) for row in self.rows[index]]
        first, known = faces[0], [face for face in faces if is_valid(face)]
        boxes = [exact_box(face['landmarks'], face['visible']) for face in known]
        scene = {key: first[key] for key in ('id', 'path', 'image') if key in first}
        tags = tuple(dict.fromkeys(tag for face in faces for tag in face['tags']))
        return scene | {'boxes': as_array(boxes), 'ignored': np.zeros(len(boxes), bool), 'tags': tags}


def as_array(boxes: Sequence[ArrayLike]) -> NDArray[np.float32]:
    """Return a list of boxes as an array (N, 4); no box gives (0, 4)."""
    return np.array(boxes, np.float32).reshape(-1, 4)


def _rows_of_pictures(dataset: FaceDataset) -> list[list[int]]:
    """Return the indices of the faces of each picture; a face without a file is a picture of its own."""
    rows: dict[Any, list[int]] = {}
    for index, path in enumerate(_paths(dataset)):
        rows.setdefault(path or index, []).append(index)
    return list(rows.values())


def _paths(dataset: FaceDataset) -> list[str]:
    """Return the path of the picture of each face, '' where there is none, without drawing or reading pictures."""
    if isinstance(dataset, JoinedFaces):
        members = [_paths(member.dataset) for member in dataset.members]
        if any(member.length != len(paths) for member, paths in zip(dataset.members, members, strict=True)):
            raise FacelmkError(
                'FacesInPictures: JoinedFaces has weights. Expected none, so that each face occurs once. Leave them out'
            )
        return [path for paths in members for path in paths]
    faces = getattr(getattr(dataset, 'reader', dataset), 'faces', None)
    return [''] * len(dataset) if faces is None else [face['path'] for face in faces]
