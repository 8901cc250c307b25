"""The other side of the loader's benchmark does what MMPose does, and both sides give the same crop."""

import numpy as np
import pytest
import torch

from facelmk.bench.baseline import loader as baseline
from facelmk.bench.loader import Photographed
from facelmk.bench.photographs import HEIGHT, WIDTH, write_photographs
from facelmk.bench.processes import compare_in_processes
from facelmk.codecs import Heatmap
from facelmk.datasets.images.decode import read_size


@pytest.fixture(scope='module')
def photographs(tmp_path_factory) -> list:
    return write_photographs(tmp_path_factory.mktemp('photographs'), 2)


def test_photographs_hold_their_faces(photographs) -> None:
    for path, box, landmarks in photographs:
        assert read_size(path) == (WIDTH, HEIGHT)
        assert (landmarks > -50).all() and (landmarks < (WIDTH + 50, HEIGHT + 50)).all()
        assert (box[2:] > box[:2]).all()


@pytest.mark.parametrize('mirrored', [False, True])
def test_both_sides_make_the_same_crop(photographs, monkeypatch, mirrored) -> None:
    """Without rotation and scaling, MMPose's crop and its mirror equal ours, but for the rounding of float32."""
    monkeypatch.setattr(np.random, 'rand', lambda: 0.4 if mirrored else 0.9)
    monkeypatch.setattr(baseline, '_truncated_normal', lambda: 0.0)
    theirs = baseline.PlainPipeline(photographs)[0]
    ours = Photographed(photographs)
    crop = ours.pipeline[1]
    monkeypatch.setattr(crop, '_draw', lambda rng: (mirrored, 0.0, 1.0, (0.0, 0.0)))
    made = ours[0]
    difference = np.abs(made['inputs'].numpy().astype(int) - theirs['inputs'].numpy())
    assert (
        difference.mean() < 0.5
        and np.abs(made['data_samples']['points'] - theirs['data_samples']['points']).max() < 0.1
    )
    batch = baseline.stack([theirs, theirs])
    assert batch[0].shape == (2, 3, 256, 256) and batch[1].shape == (2, 98, 64, 64)


def test_heatmaps_are_those_of_the_codec(photographs) -> None:
    points = np.random.default_rng(0).uniform(-20, 276, (98, 2)).astype(np.float32)
    heatmaps, weights = baseline.gaussian_heatmaps(points)
    like = torch.zeros(1, 98, 64, 64)
    target, weight = Heatmap(sigma=2, centre='cell', aligned=False).encode(
        torch.from_numpy(points)[None], torch.ones(1, 98), like, 256
    )
    used = weight.reshape(98).numpy() > 0
    assert np.array_equal(weights > 0, used)
    assert np.abs(heatmaps[used] - target[0].numpy()[used]).max() < 1e-6


def _fails() -> None:
    raise ValueError('broken')


def test_sides_run_in_processes_of_their_own() -> None:
    row = compare_in_processes('sum', lambda: sum(range(300_000)), lambda: sum(range(900_000)), 'more', seconds=0.2)
    assert row.ratio == pytest.approx(3, rel=0.3) and row.peer_name == 'more'
    with pytest.raises(ValueError, match='broken'):
        compare_in_processes('error', _fails, lambda: None, '')
