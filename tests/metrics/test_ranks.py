"""One to four processes give the same values, with and without padding by the sampler; errors name the cause."""

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
from facelmk.metrics.merging import duplicate_ids, gather, merge
from facelmk.registry import METRICS

CONFIGS = [
    dict(type='NME'),
    dict(type='NME', average='face', prefix='face'),
    dict(type='FailureRate'),
    dict(type='AUC'),
    dict(type='KeypointAP'),
    dict(type='PCK'),
    dict(type='EPE'),
]
SIZES = range(1, 18)
WORLDS = {world: pytest.param(world, marks=pytest.mark.fault(f'H0{world}')) for world in (1, 2, 3, 4)}


def predictions(size):
    """A data set of `size` faces: truth, predictions and tags, the same in every process."""
    rng = np.random.default_rng(size)
    truth = rng.random((size, 98, 2)) * 200
    return truth, truth + rng.standard_normal(truth.shape) * 5, rng.random((size, 98)) > 0.1, rng.random(size) > 0.5


def batches(size, indices, names='face {}'.format, batch_size=3):
    """Batches of truth and predictions of the faces `indices` of a data set of `size`."""
    truth, predicted, visible, posed = predictions(size)
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
                {'id': names(i), 'landmarks': torch.tensor(predicted[i]), 'scores': torch.full((98,), 1 / (i + 1))}
                for i in part
            ],
        )


def measure(size, indices, configs=CONFIGS):
    """The values of the faces `indices` of a data set of `size`, as a Runner computes them."""
    evaluator = Evaluator([METRICS.build(dict(config)) for config in configs])
    evaluator.dataset_meta = {'markup': 'wflw', 'subsets': ('pose',)}
    for batch, faces in batches(size, indices):
        evaluator.process(faces, batch)
    return evaluator.evaluate(size)


def shares(size, padded):
    """The indices of this rank's sampler; `padded`: with repeated faces, so that all ranks have the same number."""
    return [index for _, _, index in FaceSampler(range(size), shuffle=False, seed=0, round_up=padded)]


def error_of(act):
    """The error that a call raises, as text."""
    try:
        act()
    except FacelmkError as error:
        return f'{type(error).__name__}: {error}'
    return 'no error'


def nme(size, indices, drop=None, **options):
    """One metric over some faces, without the prediction of the face `drop`."""
    metric = METRICS.build(dict(type='NME'))
    metric.dataset_meta = {'markup': 'wflw'}
    for batch, faces in batches(size, indices, **options):
        metric.process(batch, [face for face in faces if drop is None or face['id'] != f'face {drop}'])
    return metric.evaluate(size)


def faults(rank):
    """The error of each of two ranks in each case."""
    indices = list(range(rank, 7, 2))
    return {
        'dropped': error_of(lambda: nme(7, indices, drop=3)),
        'not sampled': error_of(lambda: nme(7, indices[:-1] if rank else indices)),
        'twice on one rank': error_of(lambda: nme(7, indices + [3] * rank)),
        'twice without padding': error_of(lambda: nme(7, [0, 1, 2, 3] if rank == 0 else [3, 4, 5, 6, 0])),
        'one id for two faces': error_of(lambda: nme(8, list(range(rank, 8, 2)), names=lambda i: f'face {i // 2}')),
        'unequal sizes': error_of(lambda: nme(7 - rank, indices)),
        'no fault afterwards': error_of(lambda: nme(7, indices)),
    }


def worker(rank, world, port, folder):
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    distributed.init_process_group('gloo', rank=rank, world_size=world)
    results = {f'{size} {padded}': measure(size, shares(size, padded)) for size in SIZES for padded in (0, 1)}
    results['reversed'] = measure(17, shares(17, 0), CONFIGS[::-1])
    if world == 2:
        results |= faults(rank)
    (folder / f'{rank}.json').write_text(json.dumps(results))
    distributed.destroy_process_group()


@pytest.fixture(scope='module')
def by_rank(tmp_path_factory):
    """A function that returns the results of each of `world` gloo processes."""
    cache = {}

    def run(world):
        if world not in cache:
            folder = tmp_path_factory.mktemp('ranks')
            with socket.socket() as unused:
                unused.bind(('127.0.0.1', 0))
                port = unused.getsockname()[1]
            # forked, because torch and facelmk are imported already; gloo starts its threads in the children
            multiprocessing.start_processes(worker, (world, port, folder), nprocs=world, start_method='fork')
            cache[world] = [json.loads((folder / f'{rank}.json').read_text()) for rank in range(world)]
        return cache[world]

    return run


@pytest.fixture(scope='module')
def alone():
    """The values of this process, by the size of the data set."""
    return {size: measure(size, list(range(size))) for size in SIZES}


@pytest.mark.fault('H14')
@pytest.mark.parametrize('world', WORLDS.values())
def test_any_number_of_ranks_gives_the_values_of_one_process(world, by_rank, alone):
    for results in by_rank(world):
        for size in SIZES:
            assert {'NME', 'face/NME', 'FR@0.1', 'AUC@0.1', 'AP'} <= set(alone[size])
            for padded in (0, 1):
                assert results[f'{size} {padded}'] == pytest.approx(alone[size], abs=1e-12, rel=0, nan_ok=True)


@pytest.mark.fault('H15')
def test_the_order_of_metrics_changes_no_value(by_rank, alone):
    for results in by_rank(2):
        assert list(results['reversed']) != list(alone[17])
        assert results['reversed'] == results['17 0']


@pytest.mark.parametrize(
    ('fault', 'facts'),
    [
        pytest.param('dropped', "rank 1: 'face 3'", marks=pytest.mark.fault('H05')),
        pytest.param(
            'not sampled',
            '6 faces were measured, the data set has 7; rows: rank 0 4, rank 1 2',
            marks=pytest.mark.fault('H05'),
        ),
        pytest.param('twice on one rank', ": 'face 3'. ", marks=pytest.mark.fault('H06')),
        pytest.param('twice without padding', ": 'face 0', 'face 3'. ", marks=pytest.mark.fault('H06')),
        pytest.param(
            'one id for two faces', ": 'face 0', 'face 1', 'face 2', 'face 3'. ", marks=pytest.mark.fault('H06')
        ),
        pytest.param('unequal sizes', 'rank 0 has 7, rank 1 has 6 faces', marks=pytest.mark.fault('H12')),
        ('no fault afterwards', 'no error'),
    ],
)
def test_every_rank_raises_the_same_error(fault, facts, by_rank):
    first, second = by_rank(2)
    assert facts in first[fault] and first[fault] == second[fault]


def test_padding_differs_from_other_repeats():
    assert duplicate_ids([['a', 'c'], ['b', 'a']], 3) == set()  # 3 faces on 2 ranks, padded
    assert duplicate_ids([['a'], ['a'], ['a'], ['a']], 1) == set()
    assert duplicate_ids([['a', 'b'], ['c', 'b']], 4) == {'b'}  # 4 faces need no padding
    assert duplicate_ids([['a', 'c'], ['b', 'b']], 3) == {'b'}  # padding gives no rank a face twice
    assert duplicate_ids([['a', 'b', 'c'], ['c']], 3) == {'c'}
    assert duplicate_ids([['a', 'a', 'b']], 3) == {'a'}


def test_merging_keeps_the_first_of_two():
    assert merge([[('b', 1), ('a', 2)], [('c', 3), ('b', 9)]]) == [('a', 2), ('b', 1), ('c', 3)]


def test_a_packed_face_has_28_bytes_and_one_a_subset():
    metric = METRICS.build(dict(type='NME'))
    metric.dataset_meta = {'markup': 'wflw', 'subsets': ('pose', 'blur'), 'headline': 'pose'}
    for batch, faces in batches(17, list(range(17)), names='a long name of a picture/{}.png'.format):
        metric.process(batch, faces)
    packed = metric.pack(metric.results)
    assert len(packed) == 17 * (28 + 2)
    for row, unpacked in zip(metric.results, metric.unpack(packed), strict=True):
        assert unpacked[1:] == row[1:] and unpacked.id == metric.key(row.id)


def test_a_lost_rank_is_a_training_fault(monkeypatch):
    def broken(*_):
        raise RuntimeError('Connection closed by peer')

    monkeypatch.setattr(distributed, 'is_initialized', lambda: True)
    monkeypatch.setattr(distributed, 'get_world_size', lambda: 2)
    monkeypatch.setattr(distributed, 'all_gather_object', broken)
    with pytest.raises(TrainingFault, match='dist_cfg.timeout.*Connection closed'):
        gather([])
