"""Real annotations: two pictures for each landmark scheme, the LFPW faces and two 300W tables. Skipped without them."""

from pathlib import Path

import numpy as np
import pytest

from facelmk.datasets import CocoFaces, CropFace, CsvFaces, JoinedFaces, LoadImage, PtsFaces
from facelmk.datasets.open_faces import open_faces
from facelmk.datasets.records import centred_boxes, tight_boxes
from facelmk.datasets.tools.check import check
from facelmk.datasets.tools.convert import write_faces
from facelmk.markups import MARKUPS

COUNTS = {'wflw': 4, '300w': 2, '300wlp': 2, 'aflw': 2, 'cofw': 2, 'lapa': 2}


@pytest.fixture
def samples(shared):
    """A reader of the samples of one landmark scheme."""
    folder = shared / 'data' / 'samples'
    if not folder.is_dir():
        pytest.skip(f'no sample annotations: {folder} is not there')
    return lambda markup, **options: CocoFaces(f'test_{markup}.json', folder / markup, markup=markup, **options)


@pytest.fixture
def data(shared):
    """The folder of real annotations."""
    if not (shared / 'data' / 'lfpw68').is_dir():
        pytest.skip(f'no LFPW faces: {shared}/data/lfpw68 is not there')
    return shared / 'data'


@pytest.mark.parametrize('markup', COUNTS)
def test_every_landmark_scheme_is_read_with_its_pictures(samples, markup):
    faces = samples(markup, check_pictures=True, pipeline=[LoadImage(), CropFace(256)])
    assert len(faces) == len({face['id'] for face in faces.faces}) == COUNTS[markup]
    for i in range(len(faces)):
        sample = faces[i]
        assert sample['image'].shape == (256, 256, 3) and sample['image'].std() > 10
        inside = ((sample['points'] >= 0) & (sample['points'] <= 255)).all(-1)
        assert inside.mean() > 0.9
        centre = sample['points'].mean(0)
        assert np.abs(centre - 128).max() < 40


@pytest.mark.parametrize('markup', COUNTS)
def test_samples_have_no_defects_and_open_by_their_file_alone(samples, markup, tmp_path):
    """As `facelmk data check FILE` and `facelmk data convert FILE --to csv` take them."""
    file = samples(markup).ann_file
    result = check(lambda defects: open_faces(file, defects=defects))
    assert result.faces == COUNTS[markup] and result.pictures == 2 and result.defects == []
    assert open_faces(file).markup.size == MARKUPS[markup].size
    write_faces(open_faces(file, markup), 'csv', tmp_path / 'a.csv')
    back = open_faces(tmp_path / 'a.csv', markup, file.parent)
    for one, other in zip(samples(markup).faces, back.faces, strict=True):
        assert np.abs(one['landmarks'] - other['landmarks']).max() < 1e-3 and one['path'] == other['path']


def test_samples_of_five_sets_become_one(samples):
    joined = JoinedFaces(
        [samples(name) for name in ('lapa', 'wflw', '300w', '300wlp', 'cofw')],
        markup='lapa',
        pipeline=[LoadImage(), CropFace(64)],
    )
    assert len(joined) == 12 and [int(joined[i]['visible'].sum()) for i in (0, 2, 6, 8, 10)] == [106, 98, 64, 64, 29]


def test_swapped_sides_are_found_in_every_sample(samples):
    for markup in COUNTS:
        mirrored = samples(markup)
        order = mirrored.markup.mirror
        mirrored.faces = [face | {'landmarks': face['landmarks'][order]} for face in mirrored.faces]
        wrong = [defect.wrong for defect in check(lambda defects: mirrored, 'none').defects]  # noqa: B023
        assert len(wrong) == COUNTS[markup] and all('wrong sides' in text for text in wrong)


@pytest.mark.parametrize('markup', ['wflw', '300w'])
def test_published_boxes_are_the_tight_ones(samples, markup):
    for given, tight in zip(samples(markup).faces, samples(markup, box='tight').faces, strict=True):
        assert np.array_equal(given['box'], tight['box'])


def test_aflw_boxes_are_not_tight_and_their_size_is_the_norm(samples):
    for face in samples('aflw').faces:
        (tight,) = tight_boxes(face['landmarks'][None], face['visible'][None])
        assert np.abs(face['box'] - tight).max() > 5
        assert face['norm'] == np.ptp(face['box'][::2]) == np.ptp(face['box'][1::2])


def test_occluded_points_of_cofw_count_as_visible(samples):
    assert all(face['visible'].min() == 1 for face in samples('cofw').faces)


def test_all_tables_and_pts_of_lfpw_hold_the_same_numbers(data):
    pts = {face['id']: face for face in PtsFaces('images', data / 'lfpw68', check_pictures=True).faces}
    tables = [CsvFaces(f'face_landmarks_{part}.csv', data / 'lfpw68', 'images', '300w') for part in ('train', 'val')]
    assert [len(table) for table in tables] == [702, 100] and len(pts) == 802
    for table in tables:
        for face in table.faces:
            assert np.abs(face['landmarks'] - pts[face['id']]['landmarks']).max() < 1e-4
            assert face['path'] == pts[face['id']]['path']


@pytest.mark.parametrize(('table', 'count'), [('valid_challenge', 135), ('test', 600)])
def test_boxes_of_the_300w_tables_are_the_tight_ones(data, table, count):
    file = f'annotations/face_landmarks_300w_{table}.csv'
    given, tight = (CsvFaces(file, data, markup='300w', box=box) for box in ('file', 'tight'))
    assert len(given) == count == len({face['id'] for face in given.faces})
    assert max(np.abs(a['box'] - b['box']).max() for a, b in zip(given.faces, tight.faces, strict=True)) < 1e-3
    assert Path(given.face(0)['path']).parent.name in ('ibug', '01_Indoor', '02_Outdoor')


def test_centred_boxes_by_hand():
    assert centred_boxes([[10, 20]], [4]).tolist() == [[8, 18, 12, 22]]
