"""Faces: five points, alignment, drawing, and what json gets."""

import json

import numpy as np
import pytest

from facelmk import FacelmkError, geometry
from facelmk.faces import ARCFACE, Face, Faces, draw, similarity
from facelmk.markups import MARKUPS, Markup

ROWS = {  # left eye, right eye, nose tip, mouth corners, as the published sets number them
    'aflw': (7, 10, 13, 15, 17),
    'cofw': (16, 17, 20, 22, 23),
    '300w': ((37, 38, 40, 41), (43, 44, 46, 47), 30, 48, 54),
    'wflw': (96, 97, 54, 76, 82),
    'lapa': (104, 105, 54, 84, 90),
    'five': (0, 1, 2, 3, 4),
}


def a_face(markup: str = 'wflw', image: np.ndarray | None = None) -> Face:
    K = MARKUPS[markup].size
    points = np.random.default_rng(K).uniform(20, 80, (K, 2)).astype(np.float32)
    return Face(
        points, np.linspace(0, 1, K, dtype=np.float32), np.array([10, 20, 90, 95], np.float32), MARKUPS[markup], image
    )


@pytest.mark.parametrize('markup', ROWS)
def test_five_points_by_the_published_numbers(markup) -> None:
    face = a_face(markup)
    wanted = [face.landmarks[np.atleast_1d(row)].mean(0) for row in ROWS[markup]]
    assert np.allclose(face.five_points(), wanted) and face.five_points().dtype == np.float32


def test_a_markup_without_five_points_says_so() -> None:
    face = a_face()
    face.markup = Markup('two', 98, ())
    with pytest.raises(FacelmkError, match="'two'"):
        face.five_points()


def test_similarity_finds_what_was_done() -> None:
    points = np.random.default_rng(0).normal(size=(7, 2)) * 40
    done = geometry.shift(12, -7) @ geometry.rotate(33) @ geometry.scale(1.7)
    assert np.allclose(similarity(points, geometry.apply(done, points)), done)


def test_similarity_is_nearest_and_never_mirrors() -> None:
    """No turn, stretch or shift near it comes nearer, though a mirror would."""
    random = np.random.default_rng(1)
    source = random.normal(size=(6, 2)) * 30
    target = source * [-1, 1] + random.normal(size=(6, 2))
    found = similarity(source, target)
    assert np.linalg.det(found[:2, :2]) > 0

    def apart(matrix: np.ndarray) -> float:
        return float(((geometry.apply(matrix, source) - target) ** 2).sum())

    for _ in range(200):
        near = (
            geometry.shift(*random.normal(size=2))
            @ geometry.rotate(random.normal() * 3)
            @ geometry.scale(float(np.exp(random.normal() * 0.05)))
        )
        assert apart(near @ found) >= apart(found)


def test_points_that_are_one_cannot_be_aligned() -> None:
    with pytest.raises(FacelmkError, match=r'\[3.0, 3.0\]'):
        similarity(np.full((5, 2), 3), ARCFACE)


@pytest.mark.parametrize('size', [112, 224])
def test_an_aligned_face_has_its_points_on_the_template(size) -> None:
    """Five coloured discs in the photograph come to lie where ArcFace has eyes, nose and mouth."""
    image = np.zeros((240, 320, 3), np.uint8)
    warp = geometry.shift(150, 60) @ geometry.rotate(-20) @ geometry.scale(1.3)
    points = geometry.apply(warp, ARCFACE).astype(np.float32)
    ys, xs = np.mgrid[:240, :320]
    for i, (x, y) in enumerate(points):
        image[(xs - x) ** 2 + (ys - y) ** 2 < 16] = 50 * (i + 1)
    aligned = Face(points, np.ones(5), np.zeros(4), MARKUPS['five'], image).align(size)
    assert aligned.shape == (size, size, 3) and aligned.dtype == np.uint8
    for i, (x, y) in enumerate(ARCFACE * size / 112):
        assert aligned[round(y), round(x)].tolist() == [50 * (i + 1)] * 3


def test_a_face_without_its_picture_says_so() -> None:
    with pytest.raises(FacelmkError, match='Face.image'):
        a_face().align()
    with pytest.raises(FacelmkError, match='Faces.image'):
        Faces([a_face()]).plot()


def test_json_holds_all_of_a_face() -> None:
    face = a_face('cofw')
    back = json.loads(json.dumps(face.to_dict()))
    assert back.keys() == {'markup', 'box', 'landmarks', 'scores'} and back['markup'] == 'cofw'
    assert np.array_equal(np.float32(back['landmarks']), face.landmarks)
    assert np.array_equal(np.float32(back['scores']), face.scores) and back['box'] == [10, 20, 90, 95]
    several = json.loads(json.dumps(Faces([face], np.zeros((6, 8, 3), np.uint8)).to_dict()))
    assert several == {'width': 8, 'height': 6, 'faces': [back]}
    assert repr(face) == "Face(29 landmarks of 'cofw', box [10.0, 20.0, 90.0, 95.0])"


def test_drawings_show_every_face_and_leave_the_photograph(tmp_path) -> None:
    image = np.full((120, 120, 3), 40, np.uint8)
    first, second = a_face('five', image), a_face('cofw', image)
    faces = Faces([first, second], image)
    drawn = faces.plot()
    assert (image == 40).all() and drawn.shape == image.shape
    for face in faces:
        for x, y in np.round(face.landmarks).astype(int):
            assert drawn[y, x, 1] > 120 > drawn[y, x, 0]  # green
    assert faces.plot(boxes=True)[20, 10].min() > 150 > drawn[20, 10].max()
    assert (faces.plot(numbers=True) != drawn).any()
    path = faces.save(tmp_path / 'new folder' / 'ü.png')
    assert path.read_bytes()[1:4] == b'PNG'
    assert Faces(image=image).plot().tolist() == image.tolist()


@pytest.mark.parametrize('side', [36, 60, 900])
def test_points_stay_apart_in_small_and_large_faces(side) -> None:
    """The 98 points of a grid do not touch, and each of them can be seen."""
    grid = np.stack(np.meshgrid(np.linspace(0, 1, 10), np.linspace(0, 1, 10)), -1).reshape(-1, 2)[:98]
    points = (grid * side + 10).astype(np.float32)
    drawn = draw(np.zeros((side + 20, side + 20, 3), np.uint8), points)[..., 1]
    whole = np.round(points).astype(int)
    assert (drawn[whole[:, 1], whole[:, 0]] > 60).all()
    between = np.round((points[:9] + points[1:10]) / 2).astype(int)
    assert (drawn[between[:, 1], between[:, 0]] < 60).all()


def test_a_face_in_another_scheme_keeps_the_values_of_its_points() -> None:
    face = a_face('wflw_300w')
    face.errors = np.arange(166, dtype=np.float32)
    many, few = face.to_markup('wflw'), face.to_markup('300w')
    assert (many.landmarks == face.landmarks[:98]).all() and (few.landmarks == face.landmarks[98:]).all()
    assert (many.scores == face.scores[:98]).all() and (few.errors == face.errors[98:]).all()
    assert few.markup.name == '300w' and few.landmarks.dtype == np.float32 and few.box is face.box
    assert face.to_markup('wflw_300w') is face
    assert np.allclose(few.to_markup('five').landmarks, few.five_points())
    assert a_face('300w').to_markup('five').errors is None


def test_a_scheme_with_more_points_than_the_face_has_is_refused() -> None:
    with pytest.raises(FacelmkError, match="77 of the 106 .*'lapa'.*'cofw'"):
        a_face('cofw').to_markup('lapa')
    with pytest.raises(FacelmkError, match="'cofw'.*'wflw'"):
        a_face('cofw').to_markup('wflw')
