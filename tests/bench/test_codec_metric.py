"""The benchmark's plain code computes what facelmk computes, and each part has its rows."""

import numpy as np
import pytest

from facelmk.bench import codec, metric
from facelmk.bench.row import Options


@pytest.fixture
def few(monkeypatch):
    """Small data, and a function of the rows instead of their timing."""
    monkeypatch.setattr(codec, 'K', 6)
    for module in (codec, metric):
        monkeypatch.setattr(module, 'find_spec', lambda name: None)
        monkeypatch.setattr(module, 'compare', lambda *values, **_: values)


def test_the_rows_of_the_codecs(few):
    rows = list(codec.rows(Options(quick=True)))
    assert [row[0].split(',')[0] for row in rows] == ['encode', 'encode', 'decode', 'decode']
    for quantity, ours, peer, name, note in rows:
        assert name == 'MMPose-style code' and '16 x 6 x 64 x 64' in quantity
        assert float(note.removesuffix(' cells').rpartition(' ')[2]) <= 1e-5
        (actual, _), (expected, _) = ours(), peer()
        assert np.abs(np.asarray(actual) - np.asarray(expected)).max() < (1e-6 if 'encode' in quantity else 1e-3)


def test_the_rows_of_the_metrics(few):
    rows = list(metric.rows(Options(quick=True)))
    assert len(rows) == 2
    for _, ours, peer, *_ in rows:
        assert ours()['NME'] / 100 == pytest.approx(peer()['NME'], rel=1e-6) and peer()['NME'] > 0
