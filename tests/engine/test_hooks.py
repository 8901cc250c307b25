"""Two gloo ranks: the gradients of one process, and equal BatchNorm statistics at validation and in checkpoints."""

import os
import socket
from pathlib import Path

import pytest
import torch
from mmengine.hooks import EMAHook, Hook
from torch import distributed, multiprocessing

from facelmk.checkpoint import read_checkpoint
from facelmk.config import load_config
from facelmk.registry import MODELS

EPOCHS = {'train_cfg.max_epochs': 2, 'train_cfg.val_interval': 1, 'default_hooks.checkpoint.interval': 1}
ITERATIONS = {
    'train_cfg': dict(_delete_=True, by_epoch=False, max_iters=5, val_interval=2),
    'param_scheduler': None,
    'default_hooks.checkpoint.by_epoch': False,
    'default_hooks.checkpoint.interval': 3,
    'default_hooks.checkpoint.save_best': None,
    'log_processor.by_epoch': False,
    'custom_hooks': [
        dict(type='EMAHook', ema_type='ExpMomentumEMA', momentum=2e-4, gamma=3, update_buffers=True, priority=49)
    ],
}
RUNS = {'epochs': EPOCHS, 'iterations': ITERATIONS}


def statistics(module):
    """BatchNorm's running statistics, by name."""
    return {name: value.clone() for name, value in module.named_buffers() if 'running' in name}


def averaged(runner):
    """The averaged network of the EMAHook."""
    return next(hook for hook in runner.hooks if isinstance(hook, EMAHook)).ema_model.module


class Probe(Hook):
    """Record the statistics before all other hooks (`early`), or after them."""

    def __init__(self, records, early):
        self.records, self.priority = records, 'VERY_HIGH' if early else 'LOWEST'

    def record(self, runner, when):
        inner = getattr(runner.model, 'module', runner.model)
        self.records[self.priority, when] = statistics(inner), statistics(averaged(runner))

    def before_val_epoch(self, runner):
        self.record(runner, ('validation', runner.iter))

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.record(runner, ('iteration', runner.iter + 1))

    def after_train_epoch(self, runner):
        self.record(runner, ('epoch', runner.epoch + 1))


def join(rank, port):
    os.environ.update(
        MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port), RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE='2'
    )
    torch.set_num_threads(1)


def small(folder, run):
    """A quick start of 11 faces; its validation has one face, on the first rank."""
    options = {'work_dir': str(folder), 'custom_hooks': [dict(type='EMAHook')], 'randomness.seed': 1} | RUNS[run]
    for phase, count in (('train', 11), ('val', 1)):
        options |= {
            f'{phase}_dataloader.{key}': value
            for key, value in {
                'dataset.count': count,
                'dataset.cache': None,
                'dataset.size': 64,
                'dataset.pipeline.1.size': 64,
                'batch_size': 2,
                'num_workers': 0,
            }.items()
        }
    return load_config('quickstart', options)


def train_rank(rank, port, folder, run):
    from facelmk.engine import ranks
    from facelmk.engine import run as runs

    join(rank, port)
    records = {}
    build = runs._build_runner

    def with_probes(config, launcher, *switches):
        runner = build(config, launcher, *switches)
        for early in (True, False):
            runner.register_hook(Probe(records, early), Probe(records, early).priority)
        return runner

    runs._build_runner = with_probes
    runs.train(small(folder, run), launcher='pytorch')
    torch.save(records, folder / f'{rank}.pt')
    ranks.leave_process_group()


def start(worker, *arguments):
    """Run `worker(rank, port, ...)` in two processes."""
    with socket.socket() as unused:
        unused.bind(('127.0.0.1', 0))
        port = unused.getsockname()[1]
    multiprocessing.spawn(worker, (port, *arguments), nprocs=2)


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one) and one.keys() == other.keys() and len(one) > 0


@pytest.fixture(scope='module', params=RUNS)
def trained(request, tmp_path_factory):
    """The work folder of a training on two ranks, and the statistics that the probes of both ranks recorded."""
    folder = tmp_path_factory.mktemp(request.param)
    start(train_rank, folder, request.param)
    return request.param, folder, [torch.load(folder / f'{rank}.pt', weights_only=True) for rank in (0, 1)]


def test_statistics_agree_at_validation(trained):
    run, _, records = trained
    validations = [key for key in records[0] if key[1][0] == 'validation' and key[0] == 'LOWEST']
    assert len(validations) == {'epochs': 2, 'iterations': 3}[run] and records[0].keys() == records[1].keys()
    for key in validations:
        for one, other in zip(records[0][key], records[1][key], strict=True):
            assert same(one, other), key
    # without the hook they differ: each rank has trained on other faces
    first = records[0]['VERY_HIGH', ('iteration', 1)][0], records[1]['VERY_HIGH', ('iteration', 1)][0]
    assert not same(*first)


def test_the_checkpoint_has_the_statistics_of_all_ranks(trained):
    run, folder, records = trained
    saved = {
        'epochs': {'epoch_1.pth': ('epoch', 1), 'epoch_2.pth': ('epoch', 2)},
        'iterations': {'iter_3.pth': ('iteration', 3), 'iter_5.pth': ('iteration', 5)},
    }[run]
    written = [name for name in saved if (folder / name).is_file()]
    assert list(saved)[-1] in written
    for name in written:
        checkpoint = read_checkpoint(folder / name)
        for rank in (0, 1):
            trained_stats, ema_stats = records[rank]['LOWEST', saved[name]]
            state, source = (
                {key: checkpoint[part][prefix + key] for key in trained_stats}
                for part, prefix in (('state_dict', ''), ('ema_state_dict', 'module.'))
            )
            assert same(state, ema_stats) or same(state, trained_stats), name
            assert same(source, trained_stats) or same(source, ema_stats), name
            assert same(trained_stats, records[1 - rank]['LOWEST', saved[name]][0]), name


def gradients(model, faces):
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
    inputs, samples = faces
    sum(model(inputs, samples, mode='loss').values()).backward()
    return {name.removeprefix('module.'): p.grad.clone() for name, p in model.named_parameters()}


def faces(share=slice(None)):
    """Random crops and points of eight faces, or of a part of them."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(8, 3, 64, 64, generator=generator)
    points = torch.rand(8, 98, 2, generator=generator) * 60 + 2
    return inputs[share], dict(points=points[share], visible=torch.ones(8, 98)[share])


def network():
    torch.manual_seed(0)
    return MODELS.build(load_config('quickstart').model)


def backward_rank(rank, port, folder):
    from mmengine.model import MMDistributedDataParallel

    join(rank, port)
    distributed.init_process_group('gloo')
    model = MMDistributedDataParallel(network(), device_ids=None, broadcast_buffers=False)
    torch.save(gradients(model, faces(slice(rank * 4, rank * 4 + 4))), folder / f'{rank}.pt')
    distributed.barrier()
    os._exit(0)  # torch's destructors of DDP and of the group can wait for each other


def test_gradients_of_two_ranks_are_those_of_one_process(tmp_path: Path):
    start(backward_rank, tmp_path)
    alone = gradients(network(), faces())
    largest = max(value.norm() for value in alone.values())
    for rank in (0, 1):
        of_rank = torch.load(tmp_path / f'{rank}.pt', weights_only=True)
        assert of_rank.keys() == alone.keys()
        assert max((of_rank[name] - alone[name]).norm() for name in alone) <= 1e-6 * largest
