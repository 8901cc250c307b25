"""Two processes give what one gives, whatever the sampler did at the end of the set."""
import json
import os
import socket

import numpy as np
import pytest
import torch
from torch import distributed, multiprocessing

from facelmk.metrics.base import merge
from facelmk.registry import METRICS

CONFIGS = [dict(type='NME'), dict(type='NME', average='face', prefix='face'), dict(type='FailureRate'),
           dict(type='AUC'), dict(type='KeypointAP')]
SIZES = range(1, 18)


def predictions(size):
    """A set of `size` faces: truth, predictions and tags, the same in every process."""
    rng = np.random.default_rng(size)
    truth = rng.random((size, 98, 2)) * 200
    return truth, truth + rng.standard_normal(truth.shape) * 5, rng.random((size, 98)) > .1, rng.random(size) > .5


def measure(size, indices, batch_size=3):
    """The figures of the faces `indices` of a set of `size`, in batches."""
    truth, found, visible, posed = predictions(size)
    figures = {}
    for config in CONFIGS:
        metric = METRICS.build(dict(config))
        metric.dataset_meta = {'markup': 'wflw', 'subsets': ('pose',)}
        for start in range(0, len(indices), batch_size):
            part = indices[start:start + batch_size]
            rows = {'id': [f'face {i}' for i in part], 'landmarks': torch.tensor(truth[part]),
                    'visible': torch.tensor(visible[part]), 'norm': torch.full((len(part),), torch.nan),
                    'box': torch.tensor([[0., 0, 200, 200]] * len(part)),
                    'tags': [('pose',) if posed[i] else () for i in part]}
            metric.process({'data_samples': rows}, [{'id': f'face {i}', 'landmarks': torch.tensor(found[i]),
                                                     'scores': torch.full((98,), 1 / (i + 1))} for i in part])
        figures |= metric.evaluate(size)
    return figures


def shares(size, rank, padded):
    """The indices that a sampler gives a rank of two; `padded`: evened out with faces from the set's beginning."""
    order = list(range(size))
    if padded and size % 2:
        order.append(0)
    return order[rank::2]


def worker(rank, port, folder):
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    torch.set_num_threads(1)
    distributed.init_process_group('gloo', rank=rank, world_size=2)
    found = {f'{size} {padded}': measure(size, shares(size, rank, padded)) for size in SIZES for padded in (0, 1)}
    (folder / f'{rank}.json').write_text(json.dumps(found))
    distributed.destroy_process_group()


@pytest.fixture(scope='module')
def by_rank(tmp_path_factory):
    """The figures that each of two gloo processes comes to."""
    folder = tmp_path_factory.mktemp('ranks')
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    multiprocessing.spawn(worker, (port, folder), nprocs=2)
    return [json.loads((folder / f'{rank}.json').read_text()) for rank in (0, 1)]


@pytest.mark.parametrize('padded', [0, 1])
@pytest.mark.parametrize('size', SIZES)
def test_two_ranks_equal_one(size, padded, by_rank):
    alone = measure(size, list(range(size)))
    assert {'NME', 'face/NME', 'FR@0.1', 'AUC@0.1', 'AP'} <= set(alone)
    for found in by_rank:
        assert found[f'{size} {padded}'] == pytest.approx(alone, abs=1e-9, rel=0)


def test_merging_drops_what_was_measured_twice():
    assert merge([[('b', 1), ('a', 2)], [('c', 3), ('b', 9)]]) == [('a', 2), ('b', 1), ('c', 3)]
