"""Each stage of one photograph has its row, and a row says what nearly all of its rounds stay below."""

import pytest

from facelmk.bench import stages
from facelmk.bench.row import Options, measure, quantile
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


@pytest.mark.parametrize(
    ('values', 'share', 'expected'), [([3], 0.95, 3), ([1, 2], 0.5, 1.5), (range(101), 0.95, 95), ([2, 1], 1, 2)]
)
def test_quantiles(values, share, expected) -> None:
    assert quantile(list(values), share) == pytest.approx(expected)


def test_a_line_with_the_quantile() -> None:
    row = measure('sum', lambda: sum(range(9999)), rounds=5)
    assert row.p95 >= row.ours.cpu and len(row_line(row).split()) == 5 and '95 %' in head_line()
