"""Faces: five points, alignment, drawing, and what json gets."""

import csv
import json
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from facelmk import FacelmkError, MissingResource, geometry
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


# -- crops, tables and other packages


def photograph() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 255, (100, 120, 3), np.uint8)


def test_a_crop_has_the_pixels_around_the_box() -> None:
    image = photograph()
    face = a_face(image=image)  # its box is 10, 20, 90, 95
    assert (face.crop(margin=0) == image[20:95, 10:90]).all()
    assert (face.crop(margin=0.1) == image[12:100, 2:98]).all()  # cut at the lower edge
    square = face.crop(size=64)
    middle = face.crop(size=80, margin=0)[40, 40].astype(int)  # (50, 57.5) in the photograph
    assert square.shape == (64, 64, 3) and np.abs(middle - image[57:59, 50].astype(int).mean(0)).max() < 2
    assert face.crop(size=32, margin=3)[0, 0].max() == 0  # outside of the photograph
    for wrong in (dict(margin=-1), dict(margin=np.nan), dict(size=0), dict(size=1.5), dict(size=10**6)):
        with pytest.raises(FacelmkError, match='margin=|size='):
            face.crop(**wrong)
    face.box = np.array([500, 500, 600, 600], np.float32)
    with pytest.raises(FacelmkError, match='outside'):
        face.crop()
    with pytest.raises(FacelmkError, match=r'Face\.image'):
        a_face().crop()


def two_faces(**options: object) -> Faces:
    faces = Faces([a_face(), a_face()], photograph(), 'a.jpg', **options)
    faces[1].landmarks = faces[1].landmarks + np.float32(0.123)
    return faces


def test_points_and_tables_hold_the_same_numbers(tmp_path) -> None:
    faces = two_faces()
    one, two = faces.to_pts(tmp_path / 'a.pts')
    assert (one.name, two.name) == ('a_1.pts', 'a_2.pts') and Faces().to_pts(tmp_path / 'b.pts') == []
    assert faces[:1] and Faces(faces[:1]).to_pts(tmp_path / 'c.pts') == [tmp_path / 'c.pts']
    read = np.loadtxt(two.read_text().splitlines()[3:-1])
    assert np.allclose(read, faces[1].landmarks, atol=1e-4)
    with open(faces.to_csv(tmp_path / 'a.csv'), newline='') as file:
        rows = list(csv.DictReader(file))
    assert [row['face'] for row in rows] == ['0', '1'] and rows[0]['path'] == 'a.jpg' and rows[0]['score'] == ''
    table = [[float(row[f'{axis}{i}']) for axis in 'xy'] for row in rows for i in range(98)]
    assert np.allclose(table, np.concatenate([face.landmarks for face in faces]), atol=1e-4)


def test_coco_as_its_readers_expect_it() -> None:
    coco = two_faces(frame=4, time=0.2).to_coco()
    (image,) = coco['images']
    assert image == {'id': 1, 'file_name': 'a.jpg', 'width': 120, 'height': 100, 'frame': 4, 'time': 0.2}
    first, second = coco['annotations']
    assert (first['id'], second['id']) == (1, 2) and first['bbox'] == [10, 20, 80, 75] and first['area'] == 6000
    assert np.allclose(np.reshape(second['keypoints'], (-1, 3))[:, :2], two_faces()[1].landmarks, atol=1e-4)
    assert Faces(image=photograph()).to_coco()['annotations'] == []


def test_cvats_xml_holds_the_points_and_the_boxes(tmp_path) -> None:
    root = ElementTree.parse(two_faces().to_cvat(tmp_path / 'a.xml')).getroot()
    (image,) = root.iter('image')
    assert image.attrib == {'id': '0', 'name': 'a.jpg', 'width': '120', 'height': '100'}
    points = [[float(value) for value in one.get('points', '').split(',')] for one in image.iter('points')]
    assert np.allclose(points, np.concatenate([face.landmarks for face in two_faces()]), atol=1e-4)
    assert [box.get('xbr') for box in image.iter('box')] == ['90.0', '90.0'] and len(list(root.iter('label'))) == 99


@pytest.mark.parametrize('name', ['pandas', 'supervision'])
def test_a_package_that_is_missing_is_named(name, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingResource, match=f'pip install {name}'):
        getattr(two_faces(), f'to_{name}')()


def test_a_data_frame() -> None:
    pytest.importorskip('pandas')
    table = two_faces().to_pandas()
    assert table.shape == (2, 13 + 3 * 98) and table.x97[1] == pytest.approx(two_faces()[1].landmarks[97, 0], abs=1e-4)
    assert Faces(image=photograph()).to_pandas().empty


def test_key_points_of_supervision() -> None:
    pytest.importorskip('supervision')
    faces = two_faces()
    points = faces.to_supervision()
    assert points.xy.shape == (2, 98, 2) and (points.xy[1] == faces[1].landmarks).all() and len(points) == 2
    assert len(Faces().to_supervision()) == 0
    faces[1] = faces[1].to_markup('300w')
    with pytest.raises(FacelmkError, match='several landmark schemes'):
        faces.to_supervision()


def test_a_notebook_shows_a_picture_of_bounded_size_and_escaped_text() -> None:
    large = np.zeros((2000, 3000, 3), np.uint8)
    faces = Faces([a_face(image=large)], large, '<script>"x".jpg', frame=3)
    for shown in (faces._repr_html_(), faces[0]._repr_html_()):
        assert 'data:image/jpeg;base64,' in shown and len(shown) < 300_000 and '<script' not in shown
    html = faces._repr_html_()
    assert 'width="640"' in html and '&lt;script&gt;&quot;x&quot;.jpg, frame 3' in html and '1 face in' in html
    assert '<img' not in Faces([a_face()])._repr_html_() + a_face()._repr_html_()
    outside = a_face(image=photograph())
    outside.box = np.array([500, 500, 600, 600], np.float32)
    assert '<img' not in outside._repr_html_()
