"""Pages in a real browser: as wide as a phone, in both themes, with the numbers of the points on demand."""

import numpy as np
import pytest
from helpers.browser import measure

from facelmk.datasets import SyntheticFaces
from facelmk.report.browse_page import browse_page
from facelmk.report.compare_page import compare_page
from facelmk.report.logs import Log
from facelmk.report.page import write_page
from facelmk.report.paired import FaceErrors, compare_all
from facelmk.report.training_page import training_page

LONG = 'a_rather_long_name_of_a_data_set_or_subset_without_any_space_in_it_' * 2


@pytest.fixture(scope='module')
def pages(tmp_path_factory):
    """A page of a data set, of a comparison, and of training curves, with long names."""
    folder = tmp_path_factory.mktemp('pages')
    crop = [dict(type='LoadImage'), dict(type='CropFace', size=64)]
    faces = browse_page(SyntheticFaces('wflw', 2, size=64, pipeline=crop), 'both', 2, LONG, {'data': LONG})
    log = Log(LONG, [dict(loss=9.0 / i, lr=0.1, epoch=i, iter=i) for i in (1, 2, 3)], [dict(NME=5.0, epoch=2, step=2)])
    found = compare_all([errors_of(LONG), errors_of('b')])
    named = {'faces': faces, 'compared': compare_page(found), 'curves': training_page([log])}
    return folder, [write_page(page, folder / f'{name}.html').resolve() for name, page in named.items()]


def errors_of(name):
    error = np.random.default_rng(len(name)).gamma(4, 1, 50)
    rows = np.arange(50)
    return FaceErrors(
        *(f'{name}.json', name, 'the eyes', [f'{LONG}{i}' for i in rows], error, np.full(50, 98), np.full(50, 60.0)),
        *(rows, {LONG: rows[:20], 'pose': rows[5:30]}, None, True),
    )


@pytest.mark.parametrize('dark', [False, True], ids=['light', 'dark'])
def test_pages_fit_a_phone_in_both_themes(pages, dark):
    folder, files = pages
    found = measure(folder, files, dark=dark)
    for file, one in zip(files, found, strict=True):
        assert one['width'] <= 390 and one['widthWithNumbers'] <= 390, file.name
        assert one['smallest'] >= 14 and one['cut'] == 0, file.name
        assert one['paper'] == ('rgb(20, 23, 29)' if dark else 'rgb(255, 255, 255)'), file.name
    assert found[0]['before'] == 0 and found[0]['after'] == 6  # two faces, each in three pictures
