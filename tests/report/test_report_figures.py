"""Tables, curves, the baseline and the collected results, computed by hand."""

import math

import numpy as np
import pytest
from mmengine import Config

from facelmk.datasets import FaceDataset
from facelmk.errors import DataDefect, FacelmkError
from facelmk.markups import MARKUPS, Markup
from facelmk.metrics import AUC, NME, FailureRate
from facelmk.registry import DATASETS
from facelmk.report import baseline, collect, gallery
from facelmk.report.collect import Collector, Row, results
from facelmk.report.curves import ced, ced_svg, histogram_svg
from facelmk.report.face_map import map_svg, part_table
from facelmk.report.tables import result_table, subset_rows

FOUR = [0.06, 0.02, 0.2, 0.04]


def test_ced_is_the_exact_step_function() -> None:
    x, y = ced(FOUR, 0.1)
    assert x.tolist() == [0, 0.02, 0.02, 0.04, 0.04, 0.06, 0.06, 0.1]
    assert y.tolist() == [0, 0, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75]


def test_area_below_the_ced_is_the_auc() -> None:
    x, y = ced(FOUR, 0.1)
    area = float((np.diff(x) * y[:-1]).sum() / 0.1)  # (.8 + .6 + .4 + 0) / 4
    assert area == pytest.approx(0.45)
    assert area == pytest.approx(AUC(0.1).figure(np.array(FOUR), np.ones(4)))


def test_curves_name_themselves_safely() -> None:
    drawn = ced_svg({'a<b>': FOUR, 'mean face': [0.3]}, 0.1, dashed=['mean face'])
    assert 'a&lt;b&gt;' in drawn and '<b>' not in drawn and drawn.count(' dashes') == 2


def test_histogram_counts_every_face_once() -> None:
    drawn = histogram_svg([0.01, 0.011, 0.5, 7.0], 0.1, bins=10)
    assert '1 % to 2 %: 2 faces' in drawn and '9 % to more: 2 faces' in drawn
    assert sum(int(part.split(' faces')[0]) for part in drawn.split(': ')[1:]) == 4


def test_mean_face_of_three() -> None:
    boxes = [[0, 0, 10, 10], [10, 10, 30, 20], [0, 0, 4, 8]]  # centres 5,5 20,15 2,4; sides 10, 20, 8
    faces = [[[0, 5], [10, 5]], [[20, 25], [99, 99]], [[4, 0], [6, 4]]]
    visible = [[1, 1], [1, 0], [1, 1]]
    mean = baseline.mean_face(faces, visible, boxes)
    first = np.mean([[-0.5, 0], [0, 0.5], [0.25, -0.5]], 0)
    second = np.mean([[0.5, 0], [0.5, 0]], 0)
    assert mean == pytest.approx(np.stack([first, second]))


def test_place_face_returns_from_box_coordinates_to_pixels() -> None:
    assert baseline.place_face([[-0.5, 0], [0.25, 0.5]], [[10, 10, 30, 20]]) == pytest.approx(
        np.array([[[10, 15], [25, 25]]])
    )


@DATASETS.register_module(force=True)
class Dots(FaceDataset):
    """`count` faces of five points in boxes of 100 pixels, each shifted by its number; images are never read."""

    def __init__(self, count: int = 3, **rest) -> None:
        super().__init__('five', **rest)
        self.count = count

    def __len__(self) -> int:
        return self.count

    def face(self, index: int) -> dict:
        points = np.array([[20, 30], [80, 30], [50, 55], [30, 80], [70, 80]], float)
        return dict(
            id=f'dot{index}',
            path='none.jpg',
            box=np.array([0, 0, 100, 100.0]),
            landmarks=points + index,
            visible=np.ones(5),
            norm=None,
            tags=('odd',) if index % 2 else (),
        )


def test_training_face_reads_no_image() -> None:
    part = dict(type='Dots', count=3, pipeline=[dict(type='LoadImage')])
    face = baseline.training_face(Config(dict(train_dataloader=dict(dataset=part))))
    assert face[0] == pytest.approx([(20 + 1 - 50) / 100, (30 + 1 - 50) / 100])  # the mean shift is 1


def test_training_face_of_synthetic_faces_is_that_of_the_data_set(tmp_path) -> None:
    part = dict(type='SyntheticFaces', count=3, seed=5, start=2, size=64, cache=str(tmp_path / 'cache'))
    face = baseline.training_face(Config(dict(train_dataloader=dict(dataset=part))))
    assert not (tmp_path / 'cache').exists()  # nothing was drawn
    rows = [DATASETS.build({**part, 'cache': None})[i] for i in range(3)]
    truth = baseline.mean_face(*([row[key] for row in rows] for key in ('landmarks', 'visible', 'box')))
    assert face == pytest.approx(truth, abs=1e-6)


def test_baseline_without_training_set() -> None:
    with pytest.raises(FacelmkError, match='--baseline.*train_dataloader'):
        baseline.training_face(Config(dict(val_dataloader=dict())))


METRICS = {'NME': 4.25, 'NME/pose': 8.5, 'FR@0.1': 1.0, 'FR@0.1/pose': math.nan, 'a/NME': 3.0}


def test_subset_rows() -> None:
    rows = subset_rows(METRICS, ['pose', 'blur'])
    assert [row.name for row in rows] == ['NME', 'FR@0.1', 'a/NME']
    assert rows[0].values == [4.25, 8.5, None] and rows[0].cells() == ['4.25', '8.50', '–']
    assert rows[1].cells() == ['1.00', '–', '–']


def test_result_table_as_text() -> None:
    table = result_table({'NME': 4.0, 'NME/pose': 8.5}, ['pose'], [3, 1], 'the eyes', {'NME': 31.25, 'NME/pose': 40.0})
    assert table.text().splitlines() == [
        'model                            test   pose',
        'NME                              4.00   8.50',
        'faces                               3      1',
        'baseline: mean face in the box   test   pose',
        'NME                             31.25  40.00',
        'NME, FR and AUC in per cent; errors over the eyes.',
    ]


def test_result_table_as_html_is_escaped() -> None:
    table = result_table({'NME': 4.0, 'NME/<pose>': 8.5}, ['<pose>'], [3, 1], 'a & b')
    assert '&lt;pose&gt;' in table.html() and 'a &amp; b' in table.html() and '<pose>' not in table.html()
    assert '<td data-name="test">4.00</td><td data-name="&lt;pose&gt;">8.50</td>' in table.html()


def rows_of(shifts: list[float], visible: list[float] = (1, 1, 1, 1, 1)) -> list[Row]:
    """Faces of `Dots` with predictions that many pixels too far right; the eyes are 60 px apart."""
    data = Dots(len(shifts))
    faces = [data.face(i) for i in range(len(data))]
    flags = np.array(visible, float)
    return [
        Row(
            face['id'],
            face['landmarks'] + np.array([shift, 0]),
            np.ones(5),
            face['landmarks'],
            flags,
            face['box'],
            math.nan,
            i,
            face['tags'],
        )
        for i, (face, shift) in enumerate(zip(faces, shifts, strict=True))
    ]


def metrics_of(*metrics) -> list:
    for metric in metrics:
        metric.dataset_meta = {'markup': 'five', 'subsets': ('odd',)}
    return list(metrics)


def test_results_use_the_first_metric() -> None:
    collected = results(rows_of([6, 12, 3]), metrics_of(Collector(), NME(), NME('box_side', prefix='box')))
    assert collected.error == pytest.approx([0.1, 0.2, 0.05])
    assert collected.worst() == [1, 0, 2]
    assert collected.rows_of().tolist() == [0, 1, 2] and collected.rows_of('odd').tolist() == [1]
    assert collected.point_errors() == pytest.approx(np.full(5, 0.35 / 3))
    assert collected.normaliser == 'the distance of the outer eye corners'
    assert collected.subsets == ('odd',)
    assert collected.normalisers == 'the distance of the outer eye corners (NME), the longer side of the box (box/NME)'
    assert results(rows_of([6]), metrics_of(NME(), AUC())).normalisers == 'the distance of the outer eye corners'


def test_metrics_of_other_landmarks() -> None:
    collected = results(
        rows_of([6, 12, 3]), metrics_of(NME(), FailureRate(0.1), NME('box_side', prefix='box'), Collector())
    )
    values = collected.metrics_of(collected.truth + np.array([30, 0]))
    assert values == pytest.approx(
        {'NME': 50.0, 'NME/odd': 50.0, 'FR@0.1': 100.0, 'FR@0.1/odd': 100.0, 'box/NME': 30.0, 'box/NME/odd': 30.0}
    )
    assert collected.errors_of(collected.truth) == pytest.approx(np.zeros(3))


def test_results_without_an_error_metric_use_the_box() -> None:
    collected = results(rows_of([6]), metrics_of(Collector()))
    assert collected.error == pytest.approx([0.06]) and collected.normaliser == 'the longer side of the box'
    assert collected.metrics_of(collected.truth) == {}


def test_invisible_points_and_faces_do_not_count() -> None:
    collected = results(rows_of([6, 6], [1, 1, 0, 0, 0]), metrics_of(NME()))
    assert np.isnan(collected.point_errors()[2:]).all() and collected.point_errors()[:2] == pytest.approx([0.1, 0.1])
    nothing = results(rows_of([6], [0] * 5), metrics_of(NME()))
    assert nothing.worst() == [] and nothing.rows_of().tolist() == []


def test_no_faces_at_all() -> None:
    with pytest.raises(DataDefect, match='no face'):
        results([], metrics_of(NME()))


def test_collector_keeps_the_predictions() -> None:
    collector = metrics_of(Collector())[0]
    face = Dots(1).face(0)
    batch = {
        'id': ['dot0'],
        'landmarks': face['landmarks'][None],
        'visible': face['visible'][None],
        'box': face['box'][None],
        'norm': np.array([math.nan]),
        'tags': [('odd',)],
    }
    collector.process({'data_samples': batch}, [dict(id='dot0', landmarks=face['landmarks'] + 1, scores=np.ones(5))])
    assert collector.evaluate(1) == {}
    (row,) = collector.gathered
    assert row.id == 'dot0' and row.dataset_index == 0 and row.tags == ('odd',)
    assert (row.landmarks - row.truth == 1).all()


def test_gallery_finds_a_face_at_another_index() -> None:
    rows = [
        row._replace(dataset_index=2 - row.dataset_index) for row in rows_of([6, 12, 3])
    ]  # as after a shuffling sampler
    pictures = gallery.Gallery(Dots(3), results(rows, metrics_of(NME())))
    assert [pictures.face(i)['id'] for i in range(3)] == ['dot0', 'dot1', 'dot2']
    assert pictures.percent(1) == '20.00'


def test_part_table() -> None:
    error = np.array([0.1, 0.3, 0.05, 0.2, math.nan])
    table = part_table(error, MARKUPS['five'], 'x')
    assert [(row.name, row.cells()) for row in table.blocks['part']] == [
        ('eyes', ['2', '20.00', '30.00 (1)']),
        ('nose', ['1', '5.00', '5.00 (2)']),
        ('lips', ['1', '20.00', '20.00 (3)']),
        ('all points', ['4', '16.25', '30.00 (1)']),
    ]


def test_map_leaves_out_points_without_error() -> None:
    drawn = map_svg(np.arange(6.0).reshape(3, 2), np.array([0.1, math.nan, 0.2]), Markup('three', 3, ()))
    assert 'point 0: 10.00 %' in drawn and 'point 2: 20.00 %' in drawn and 'point 1:' not in drawn


def test_indices_of_a_rank(monkeypatch) -> None:
    monkeypatch.setattr(collect, 'get_rank', lambda: 1)
    monkeypatch.setattr(collect, 'get_world_size', lambda: 2)
    collector, data = metrics_of(Collector())[0], Dots(6)
    for index in (1, 3, 5):  # what an unshuffled sampler gives the second of two ranks
        face = data.face(index)
        batch = {key: np.stack([face[key]]) for key in ('landmarks', 'visible', 'box')}
        batch |= {'id': [face['id']], 'norm': np.array([math.nan]), 'tags': [face['tags']]}
        prediction = dict(id=face['id'], landmarks=face['landmarks'], scores=np.ones(5))
        collector.process({'data_samples': batch}, [prediction])
    collector.evaluate(3)
    assert [(row.id, row.dataset_index) for row in collector.gathered] == [('dot1', 1), ('dot3', 3), ('dot5', 5)]
