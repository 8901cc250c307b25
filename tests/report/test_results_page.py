"""The report of a test of hand-made faces: which sections it has, and what their numbers are."""

import json
import math
import re

import numpy as np
import pytest
from helpers.pages import check_page_alone

from facelmk.metrics import AUC, NME, FailureRate
from facelmk.report.bins import FEWEST, error_by_property, reliability_charts
from facelmk.report.collect import Collector, Results, Row, results
from facelmk.report.conclude import table_of
from facelmk.report.gallery import Gallery
from facelmk.report.results_page import data_text, results_page
from facelmk.report.training_page import log_beside

FACE = np.array([[20, 30], [80, 30], [50, 55], [30, 80], [70, 80]], float)
COUNT = 24


class Photos:
    """Faces of five points in grey photographs; every second one belongs to a subset."""

    pipeline = ()

    def __len__(self) -> int:
        return COUNT

    def face(self, index: int) -> dict:
        image = np.full((120, 120, 3), 100 + index, np.uint8)
        return dict(id=f'f{index}', image=image, box=np.array([0, 0, 100.0, 100]))


def rows(calibrated: bool = False) -> list[Row]:
    """Faces whose errors are 1, 2, 3, ... per cent of the distance of the eyes; every second face is tagged."""
    found = []
    for i in range(COUNT):
        shift = 0.6 * (i + 1)
        found.append(
            Row(
                *(f'f{i}', FACE + [shift, 0], np.ones(5), FACE, np.ones(5), np.array([0, 0, 100.0 + i, 100 + i])),
                *(math.nan, i, ('od<d>',) if i % 2 else (), '', True),
                expected=np.full(5, 2 * shift) if calibrated else None,
                score=1 - i / COUNT if calibrated else None,
            )
        )
    return found


def collected(calibrated: bool = False) -> Results:
    metrics = [Collector(), NME(), FailureRate(0.08), AUC(0.1)]
    for metric in metrics:
        metric.dataset_meta = {'markup': 'five', 'subsets': ('od<d>', 'nobody')}
    return results(rows(calibrated), metrics)


def entry_of(found: Results) -> dict:
    return {
        'config': 'c',
        'checkpoint': 'w.pth',
        'checkpoint_sha256': 'ab' * 32,
        'faces': COUNT,
        'metrics': found.metrics_of(found.landmarks),
        'intervals': found.intervals(),
        'versions': {'facelmk': '0'},
    }


def page_of(calibrated: bool = False):
    found = collected(calibrated)
    entry = entry_of(found)
    return results_page(entry, table_of(entry, found, {}), found, Gallery(Photos(), found), 'set.json')


def test_sections_and_numbers() -> None:
    page = page_of()
    keys = [section.key for section in page.sections]
    assert keys == ['results', 'subsets', 'distribution', 'points', 'properties', 'worst', 'typical', 'random']
    reader = check_page_alone(page.html())
    assert 'od<d>, 12 faces' in reader.text and 'nobody, 0 faces' in reader.text
    assert 'AUC@0.1' in reader.text and 'FR@0.08 66.67 %' in reader.text  # the errors 9 to 24 % of 1 to 24 %
    assert page.facts['weights'] == f'w.pth (sha256 {("ab" * 32)[:16]}…)'
    assert page.facts['test data'] == 'set.json, 24 faces'


def test_the_worst_face_comes_first_and_typical_ones_are_in_the_middle() -> None:
    parts = {section.key: section.body for section in page_of().sections}
    assert re.findall(r'<b>([\d.]+) %', parts['worst'])[:3] == ['24.00', '23.00', '22.00']
    typical = [float(error) for error in re.findall(r'<b>([\d.]+) %', parts['typical'])]
    assert np.mean(typical) == pytest.approx(12.5, abs=1) and max(typical) <= 19


def test_the_error_by_the_side_of_the_box() -> None:
    body = error_by_property(collected()).body
    bars = re.findall(r'class="end"[^>]*>([\d.]+)</text>', body)[:4]
    assert [float(bar) for bar in bars] == pytest.approx([3.5, 9.5, 15.5, 21.5])  # larger boxes have larger errors here
    assert '100 to 105 px' in body and 'tilt' in body.lower()
    assert FEWEST <= COUNT


def test_calibration_is_shown_for_a_calibrated_model_only() -> None:
    assert reliability_charts(collected()) is None
    section = reliability_charts(collected(calibrated=True))
    points = re.findall(r'<title>([\d.]+): ([\d.]+)</title>', section.body)
    assert len(points) == 15  # ten bins of landmarks, five of scores
    expected, measured = (float(value) for value in points[0])
    assert expected == pytest.approx(2 * measured, rel=0.01)
    assert 'calibration' in [part.key for part in page_of(calibrated=True).sections]


def test_the_log_beside_the_weights(tmp_path, monkeypatch) -> None:
    assert log_beside(tmp_path / 'w.pth') is None
    (tmp_path / 'w.pth').touch()
    assert log_beside(tmp_path / 'w.pth') is None
    folder = tmp_path / '20260101' / 'vis_data'
    folder.mkdir(parents=True)
    (folder / 'scalars.json').write_text('no json\nat all\n')
    assert log_beside(tmp_path / 'w.pth') is None
    lines = [dict(loss=2.0, epoch=1, iter=1, step=1), dict(NME=5.0, step=1)]
    (folder / 'scalars.json').write_text('\n'.join(map(json.dumps, lines)))
    assert log_beside(tmp_path / 'w.pth').best() == ('NME', 1, 5.0)
    monkeypatch.chdir(tmp_path)
    assert log_beside('facelmk_nano') is None, 'a name has no folder'


def test_a_data_set_in_words() -> None:
    joined = {'type': 'JoinedFaces', 'datasets': [{'dataset': {'type': 'CsvFaces', 'ann_file': 'a.csv'}, 'name': 'x'}]}
    assert data_text(joined) == 'JoinedFaces CsvFaces a.csv'
