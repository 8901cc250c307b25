"""Two guarded ranks: both react at the same iteration to a fault of one, and neither waits for the other."""

import json
import os
import socket
import time
from contextlib import suppress

import pytest
import torch
from mmengine import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import distributed, multiprocessing
from toy_runs import Normed, faces

from facelmk.engine.ranks import join_ranks
from facelmk.errors import FacelmkError

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason='with GPUs the ranks use NCCL')
CASES = {
    'all': dict(action='stop'),
    'summed up': dict(action='stop', steps=2),
    'mixed': dict(mixed=True),
    'skipped': dict(action='skip'),
    'unequal': dict(count=lambda rank: 12 - 3 * rank),
    'even': dict(bad=None),
}


class RecordWeights(Hook):
    """Record the weights after each step."""

    def __init__(self):
        self.weights = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.weights.append([float(value.detach().sum()) for value in runner.model.parameters()])


def train(rank, folder, action='stop', steps=1, mixed=False, bad=5, count=lambda rank: 12):
    """Six batches of one face a rank, in turn; the sixth face is the second rank's third."""
    kind = dict(type='AmpOptimWrapper', dtype='bfloat16') if mixed else dict(type='OptimWrapper')
    runner = Runner(
        Normed(),
        str(folder),
        train_dataloader=dict(
            dataset=faces(bad, count=count(rank)),
            batch_size=2,
            collate_fn=dict(type='default_collate'),
            sampler=dict(type='DefaultSampler', shuffle=False),
        ),
        train_cfg=dict(type='EpochLoop', max_epochs=1),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01), accumulative_counts=steps, **kind),
        launcher='pytorch',
        default_scope='facelmk',
        log_level='ERROR',
        default_hooks=dict(guard=dict(type='Guard', action=action)),
        cfg=Config(
            dict(model_wrapper_cfg=dict(type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False))
        ),
        randomness=dict(seed=1),
        experiment_name=f'{folder}{rank}'.replace('/', '_'),
    )
    runner.register_hook(record := RecordWeights())
    start, message, code = time.monotonic(), '', 0
    try:
        runner.train()
    except FacelmkError as error:
        message, code = str(error), error.exit_code
    return dict(
        message=message, code=code, iter=len(record.weights), weights=record.weights, seconds=time.monotonic() - start
    )


def work(rank, port, folder):
    os.environ.update(
        MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port), RANK=str(rank), WORLD_SIZE='2', LOCAL_RANK=str(rank)
    )
    join_ranks('pytorch', Config({'env_cfg': {'dist_cfg': {'timeout': 20}}, 'randomness': {'seed': 1}}))
    results = {}
    for name, options in CASES.items():
        results[name] = train(rank, folder / name, **options)
    (folder / f'{rank}.json').write_text(json.dumps(results))
    distributed.barrier()
    os._exit(0)


@pytest.fixture(scope='module')
def by_rank(tmp_path_factory):
    """The folder, and the results of each case on each of two forked ranks."""
    folder = tmp_path_factory.mktemp('ranks')
    with socket.socket() as unused:
        unused.bind(('127.0.0.1', 0))
        port = unused.getsockname()[1]
    with suppress(SystemExit):
        multiprocessing.start_processes(work, (port, folder), nprocs=2, start_method='fork')
    return folder, [json.loads((folder / f'{rank}.json').read_text()) for rank in (0, 1)]


@pytest.mark.parametrize('case', ['all', 'summed up', 'mixed'])
def test_a_fault_of_one_rank_stops_all_at_the_same_iteration(case, by_rank):
    folder, results = by_rank
    one, other = (rank[case] for rank in results)
    assert one['message'] == other['message'] and 'fault_iter_2_rank_1.pth' in one['message']
    assert one['message'].startswith("iteration 2: rank 1: loss_a is nan; samples 'face5', 'face7'.")
    assert (one['code'], one['iter'], other['iter']) == (5, 1, 1) and max(one['seconds'], other['seconds']) < 10
    assert [path.name for path in (folder / case).glob('fault*')] == ['fault_iter_2_rank_1.pth']


def test_a_batch_that_one_rank_skips_is_skipped_by_all(by_rank):
    one, other = (rank['skipped'] for rank in by_rank[1])
    assert one['iter'] == other['iter'] == 3 and one['weights'] == other['weights']
    assert one['weights'][0] == one['weights'][1] != one['weights'][2]


@pytest.mark.fault('H12')
def test_unequal_data_sets_are_refused_before_training(by_rank):
    for rank in by_rank[1]:
        message = rank['unequal']['message']
        assert 'train_dataloader' in message and 'rank 0 has 12, rank 1 has 9' in message
        assert rank['unequal']['iter'] == 0 and rank['unequal']['seconds'] < 10
        assert (rank['even']['message'], rank['even']['iter']) == ('', 3)
