"""Each stage of one photograph has its row, and a row says what nearly all of its rounds stay below."""

import pytest

from facelmk.bench import stages
from facelmk.bench.row import Options, Timing, make_row, measure
from facelmk.bench.run import head_line, row_line


def test_the_stages(monkeypatch) -> None:
    works = {}
    monkeypatch.setattr(stages, 'measure', lambda name, work, **_: works.setdefault(name, work))
    rows = list(stages.rows(Options(quick=True)))
    for stage in ('read', 'find faces', 'network', 'points', 'draw'):
        assert any(name.startswith(stage) for name in works)
    assert len(rows) >= 5
    points, _ = works['points of its maps, torch']()
    assert points.shape == (1, 166, 2) and works['draw the landmarks of a face']().shape == (768, 1024, 3)


def test_what_nearly_all_rounds_stay_below() -> None:
    assert make_row('rounds', [Timing(x, x) for x in range(101)], None, '').p95 == pytest.approx(95)


def test_a_line_with_the_quantile() -> None:
    row = measure('sum', lambda: sum(range(9999)), rounds=5)
    assert row.p95 >= row.ours.cpu and len(row_line(row).split()) == 5 and '95 %' in head_line()
