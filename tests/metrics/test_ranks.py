"""One to four processes give the same figures, whatever the sampler did at the end of the set; faults are named."""

import json
import os
import socket

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from torch import distributed, multiprocessing

from facelmk.datasets.sampler import FaceSampler
from facelmk.errors import FacelmkError, TrainingFault
from facelmk.metrics.base import merge
from facelmk.metrics.merging import duplicate_ids, gather
from facelmk.registry import METRICS

CONFIGS = [
    dict(type='NME'),
    dict(type='NME', average='face', prefix='face'),
    dict(type='FailureRate'),
    dict(type='AUC'),
    dict(type='KeypointAP'),
]
SIZES = range(1, 18)
WORLDS = {world: pytest.param(world, marks=pytest.mark.fault(f'H0{world}')) for world in (1, 2, 3, 4)}


def predictions(size):
    """A set of `size` faces: truth, predictions and tags, the same in every process."""
    rng = np.random.default_rng(size)
    truth = rng.random((size, 98, 2)) * 200
    return truth, truth + rng.standard_normal(truth.shape) * 5, rng.random((size, 98)) > 0.1, rng.random(size) > 0.5


def batches(size, indices, names='face {}'.format, batch_size=3):
    """Batches of truth and predictions of the faces `indices` of a set of `size`."""
    truth, found, visible, posed = predictions(size)
    for start in range(0, len(indices), batch_size):
        part = indices[start : start + batch_size]
        rows = {
            'id': [names(i) for i in part],
            'landmarks': torch.tensor(truth[part]),
            'visible': torch.tensor(visible[part]),
            'norm': torch.full((len(part),), torch.nan),
            'box': torch.tensor([[0.0, 0, 200, 200]] * len(part)),
            'tags': [('pose',) if posed[i] else () for i in part],
        }
        yield (
            {'data_samples': rows},
            [
                {'id': names(i), 'landmarks': torch.tensor(found[i]), 'scores': torch.full((98,), 1 / (i + 1))}
                for i in part
            ],
        )


def measure(size, indices, configs=CONFIGS):
    """The figures of the faces `indices` of a set of `size`, as a Runner asks for them."""
    evaluator = Evaluator([METRICS.build(dict(config)) for config in configs])
    evaluator.dataset_meta = {'markup': 'wflw', 'subsets': ('pose',)}
    for batch, found in batches(size, indices):
        evaluator.process(found, batch)
    return evaluator.evaluate(size)


def shares(size, padded):
    """The indices that this rank's sampler hands out; `padded`: evened out with faces from the set's beginning."""
    return [index for _, _, index in FaceSampler(range(size), shuffle=False, seed=0, round_up=padded)]


def said(act):
    """The error that a call raises, as text."""
    try:
        act()
    except FacelmkError as error:
        return f'{type(error).__name__}: {error}'
    return 'nothing'


def nme(size, indices, drop=None, **options):
    """One metric over some faces, whose prediction of the face `drop` is lost."""
    metric = METRICS.build(dict(type='NME'))
    metric.dataset_meta = {'markup': 'wflw'}
    for batch, found in batches(size, indices, **options):
        metric.process(batch, [face for face in found if drop is None or face['id'] != f'face {drop}'])
    return metric.evaluate(size)


def faults(rank):
    """What each of two ranks says to what must not be."""
    own = list(range(rank, 7, 2))
    return {
        'dropped': said(lambda: nme(7, own, drop=3)),
        'never handed out': said(lambda: nme(7, own[:-1] if rank else own)),
        'twice on a rank': said(lambda: nme(7, own + [3] * rank)),
        'twice without padding': said(lambda: nme(7, [0, 1, 2, 3] if rank == 0 else [3, 4, 5, 6, 0])),
        'one id for two faces': said(lambda: nme(8, list(range(rank, 8, 2)), names=lambda i: f'face {i // 2}')),
        'other sizes': said(lambda: nme(7 - rank, own)),
        'and then all is well': said(lambda: nme(7, own)),
    }


def worker(rank, world, port, folder):
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    distributed.init_process_group('gloo', rank=rank, world_size=world)
    found = {f'{size} {padded}': measure(size, shares(size, padded)) for size in SIZES for padded in (0, 1)}
    found['turned round'] = measure(17, shares(17, 0), CONFIGS[::-1])
    if world == 2:
        found |= faults(rank)
    (folder / f'{rank}.json').write_text(json.dumps(found))
    distributed.destroy_process_group()


@pytest.fixture(scope='module')
def by_rank(tmp_path_factory):
    """The figures that each of so many gloo processes comes to."""
    kept = {}

    def run(world):
        if world not in kept:
            folder = tmp_path_factory.mktemp('ranks')
            with socket.socket() as free:
                free.bind(('127.0.0.1', 0))
                port = free.getsockname()[1]
            # torch and facelmk are imported already; gloo's threads begin in the children
            multiprocessing.start_processes(worker, (world, port, folder), nprocs=world, start_method='fork')
            kept[world] = [json.loads((folder / f'{rank}.json').read_text()) for rank in range(world)]
        return kept[world]

    return run


@pytest.fixture(scope='module')
def alone():
    """The figures of this process, set by set."""
    return {size: measure(size, list(range(size))) for size in SIZES}


@pytest.mark.fault('H14')
@pytest.mark.parametrize('world', WORLDS.values())
def test_any_number_of_ranks_equals_none(world, by_rank, alone):
    for found in by_rank(world):
        for size in SIZES:
            assert {'NME', 'face/NME', 'FR@0.1', 'AUC@0.1', 'AP'} <= set(alone[size])
            for padded in (0, 1):
                assert found[f'{size} {padded}'] == pytest.approx(alone[size], abs=1e-12, rel=0, nan_ok=True)


@pytest.mark.fault('H15')
def test_the_order_of_metrics_changes_no_figure(by_rank, alone):
    for found in by_rank(2):
        assert list(found['turned round']) != list(alone[17])
        assert found['turned round'] == found['17 0']


@pytest.mark.parametrize(
    ('fault', 'told'),
    [
        pytest.param('dropped', "without a prediction: rank 1: 'face 3'", marks=pytest.mark.fault('H05')),
        pytest.param(
            'never handed out',
            '6 faces were measured, the data set has 7; rows: rank 0 4, rank 1 2',
            marks=pytest.mark.fault('H05'),
        ),
        pytest.param('twice on a rank', "measured twice: 'face 3'", marks=pytest.mark.fault('H06')),
        pytest.param('twice without padding', "measured twice: 'face 0', 'face 3'", marks=pytest.mark.fault('H06')),
        pytest.param(
            'one id for two faces',
            "measured twice: 'face 0', 'face 1', 'face 2', 'face 3'",
            marks=pytest.mark.fault('H06'),
        ),
        pytest.param('other sizes', 'rank 0 has 7, rank 1 has 6 faces', marks=pytest.mark.fault('H12')),
        ('and then all is well', 'nothing'),
    ],
)
def test_every_rank_says_what_is_amiss(fault, told, by_rank):
    for found in by_rank(2):
        assert told in found[fault]


def test_padding_is_told_from_other_repeats():
    assert duplicate_ids([['a', 'c'], ['b', 'a']], 3) == set()  # 3 faces on 2 ranks, evened out
    assert duplicate_ids([['a'], ['a'], ['a'], ['a']], 1) == set()
    assert duplicate_ids([['a', 'b'], ['c', 'b']], 4) == {'b'}  # 4 faces need no padding
    assert duplicate_ids([['a', 'c'], ['b', 'b']], 3) == {'b'}  # padding gives no rank a face twice
    assert duplicate_ids([['a', 'b', 'c'], ['c']], 3) == {'c'}
    assert duplicate_ids([['a', 'a', 'b']], 3) == {'a'}


def test_merging_drops_what_was_measured_twice():
    assert merge([[('b', 1), ('a', 2)], [('c', 3), ('b', 9)]]) == [('a', 2), ('b', 1), ('c', 3)]


def test_a_face_travels_as_a_few_bytes():
    metric = METRICS.build(dict(type='NME'))
    metric.dataset_meta = {'markup': 'wflw', 'subsets': ('pose', 'blur'), 'headline': 'pose'}
    for batch, found in batches(17, list(range(17)), names='a long name of a picture/{}.png'.format):
        metric.process(batch, found)
    packed = metric.pack(metric.results)
    assert len(packed) == 17 * (28 + 2)
    for kept, row in zip(metric.results, metric.unpack(packed), strict=True):
        assert row[1:] == kept[1:] and row.id == metric.key(kept.id)


def test_a_lost_rank_is_told(monkeypatch):
    def broken(*_):
        raise RuntimeError('Connection closed by peer')

    monkeypatch.setattr(distributed, 'is_initialized', lambda: True)
    monkeypatch.setattr(distributed, 'get_world_size', lambda: 2)
    monkeypatch.setattr(distributed, 'all_gather_object', broken)
    with pytest.raises(TrainingFault, match='dist_cfg.timeout.*Connection closed'):
        gather([])
