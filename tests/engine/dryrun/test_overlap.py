"""Faces that two data sets share, by their landmarks; pictures that they share, by file and by bytes."""

import os
from pathlib import Path

import numpy as np
import pytest

from facelmk.datasets import FacesInPictures, JoinedFaces, RepeatedFaces, SyntheticFaces
from facelmk.datasets.base import FaceDataset
from facelmk.engine.dryrun.overlap import shared_faces

BOX = np.array([10, 10, 50, 50], np.float32)
POINTS = np.arange(10, dtype=np.float32).reshape(5, 2) * 7


class Listed(FaceDataset):
    """A data set of the faces that it gets."""

    def __init__(self, *faces: dict) -> None:
        super().__init__('five')
        self.faces = list(faces)

    def __len__(self) -> int:
        return len(self.faces)


def face(path: Path, shift: float = 0.0, box: np.ndarray = BOX, visible: float = 1.0) -> dict:
    return {'id': path.name, 'path': str(path), 'landmarks': POINTS + shift, 'visible': np.full(5, visible), 'box': box}


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / 'a.png'
    path.write_bytes(bytes(range(256)) * 1000)
    return path


def test_the_same_picture_by_another_path(picture: Path, tmp_path: Path) -> None:
    (tmp_path / 'below').mkdir()
    (tmp_path / 'link.png').symlink_to(picture)
    os.link(picture, tmp_path / 'hard.png')
    (tmp_path / 'copy.png').write_bytes(picture.read_bytes())
    train = Listed(face(picture))
    for other in ('link.png', 'hard.png', 'copy.png', 'below/../a.png'):
        assert shared_faces(train, Listed(face(tmp_path / other, shift=1))) == ([Path(other).name], []), other


def test_another_face_of_the_same_picture_is_another_face(picture: Path) -> None:
    assert shared_faces(Listed(face(picture)), Listed(face(picture, 1, BOX + 100))) == ([], [str(picture)])


def test_the_same_landmarks_in_a_picture_that_was_rewritten(picture: Path, tmp_path: Path) -> None:
    (tmp_path / 'b.png').write_bytes(b'x')
    assert shared_faces(Listed(face(picture)), Listed(face(tmp_path / 'b.png'))) == (['b.png'], [])


def test_pictures_of_one_size_with_other_bytes_differ(picture: Path, tmp_path: Path) -> None:
    (tmp_path / 'b.png').write_bytes(picture.read_bytes()[::-1])  # of one size
    assert shared_faces(Listed(face(picture)), Listed(face(tmp_path / 'b.png', 1))) == ([], [])
    unseen = [Listed(face(tmp_path / name, visible=0)) for name in ('gone.png', 'lost.png')]
    assert shared_faces(*unseen) == ([], [])  # invisible landmarks identify no face, and there are no pictures


def test_joined_sets_and_synthetic_faces(picture: Path) -> None:
    synthetic = SyntheticFaces(count=4, seed=3)
    assert shared_faces(synthetic, SyntheticFaces(count=4, seed=3, start=4)) == ([], [])
    again = SyntheticFaces(count=4, seed=3, start=3)
    assert shared_faces(RepeatedFaces(synthetic, 2), JoinedFaces([again])) == (['synthetic/3/3'], [])
    assert shared_faces(JoinedFaces([Listed(face(picture))]), Listed(face(picture))) == (['a.png'], [])


def test_faces_of_scenes(picture: Path) -> None:
    assert shared_faces(Listed(face(picture)), FacesInPictures(Listed(face(picture)))) == (['a.png'], [])
