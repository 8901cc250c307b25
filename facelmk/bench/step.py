"""Training steps, forward passes and predictions with flip test: plain, and with the switches of `speed`."""

import copy
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ..config import load_config
from ..engine.speed import Speed, can_fuse, convert_weights, speed_up
from ..registry import MODELS, OPTIMIZERS
from ..synthetic import SyntheticFaces
from .baseline.step import PlainStep
from .row import Amount, Options, Row, Work, compare_all, not_measured

CPU = torch.device('cpu')
NETWORKS = {'HRNetV2-W18': 'hrnetv2_w18_wflw', 'ResNet-50': 'deeppose_r50_wflw', 'QuickNet': 'quickstart'}
BEST = Speed('bf16', channels_last=True, fused=True)
SWITCHES = {'HRNetV2-W18': [Speed(channels_last=True), Speed('bf16'), BEST]}
FACES = 100  # whose predictions are compared


def rows(options: Options) -> Iterator[Row]:
    """Rows of each network, of predictions in bf16, and of the memory that a training keeps."""
    for name in ['HRNetV2-W18'] if options.quick else NETWORKS:
        yield from _training_rows(name, options)
        yield from _prediction_rows(name, options)
    yield _difference('facelmk_nano')
    yield _kept_memory(options)


def batch_size(options: Options) -> int:
    """Return the faces of a batch."""
    return 2 if options.quick else 8


def random_batch(size: int, count: int, K: int = 98) -> dict[str, Any]:
    """Return a batch of random crops and points, as the loader makes it."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8, generator=generator)
    points = (torch.rand(count, K, 2, generator=generator) * 0.6 + 0.2) * size
    annotation = dict(id=list(range(count)), points=points, visible=torch.ones(count, K))
    return dict(
        inputs=inputs, data_samples=annotation | dict(warp=torch.eye(3, dtype=torch.float64).repeat(count, 1, 1))
    )


class FastStep:
    """Our training step with some switches: what the Runner does with a batch, with the guard's check."""

    def __init__(self, config: Any, speed: Speed, network: nn.Module) -> None:
        self.network: Any = network.train()
        speed_up(network, speed)
        options = dict(config.optim_wrapper.optimizer)
        kind = OPTIMIZERS.get(options.pop('type'))
        fused = speed.fused and can_fuse(kind, CPU)
        self.optimizer = kind(network.parameters(), **options, **({'fused': True} if fused else {}))

    def __call__(self, batch: dict[str, Any]) -> list[float]:
        """Train a step and return the loss, the norm and the logged terms, which are read at once."""
        losses = self.network(**self.network.data_preprocessor(batch, True), mode='loss')
        total, logged = self.network.parse_losses(losses)
        total.backward()
        norm = nn.utils.get_total_norm([p.grad for p in self.network.parameters() if p.grad is not None])
        numbers: list[float] = torch.stack(
            [total.detach() + norm, *(value.detach() for value in logged.values())]
        ).tolist()
        self.optimizer.step()
        self.optimizer.zero_grad()
        return numbers


def _training_rows(name: str, options: Options) -> Iterator[Row]:
    config, count = load_config(NETWORKS[name]), batch_size(options)
    batch = random_batch(config.model.size, count)
    torch.manual_seed(0)
    network = MODELS.build(config.model)
    peer, peer_name = _peer(name, config, copy.deepcopy(network), batch)
    speeds = [Speed(), *(SWITCHES.get(name, [BEST]) if not options.quick else [BEST])]
    steps = {
        f'training step, {name}, batch {count}, {speed}': partial(
            FastStep(config, speed, copy.deepcopy(network)), batch
        )
        for speed in speeds
    }
    yield from compare_all(steps, peer.step, peer_name, items=count, seconds=options.seconds)


def _prediction_rows(name: str, options: Options) -> Iterator[Row]:
    config, count = load_config(NETWORKS[name]), batch_size(options)
    batch = random_batch(config.model.size, count)
    torch.manual_seed(0)
    network = MODELS.build(config.model).eval()
    peer, peer_name = _peer(name, config, copy.deepcopy(network), batch)
    peer.network.eval()
    forwards: dict[str, Work] = {}
    predictions: dict[str, Work] = {}
    for speed in (Speed(), Speed('bf16', channels_last=True)):
        ours: Any = copy.deepcopy(network)
        ours.flip_test = True
        speed_up(ours, speed)
        convert_weights(ours)
        case = f'{name}, batch {count}, {speed}'
        forwards[f'forward, {case}'] = partial(ours, ours.data_preprocessor(batch)['inputs'])
        predictions[f'predict with flip test, {case}'] = partial(ours.test_step, batch)
    for works, theirs in ((forwards, peer.forward), (predictions, peer.predict)):
        with torch.no_grad():
            rows = compare_all(works, theirs, peer_name, items=count, seconds=options.seconds / 2)
        yield from rows


def _peer(name: str, config: Any, network: Any, batch: dict[str, Any]) -> tuple[Any, str]:
    """Return MMPose's network where it is installed, or else the plain code with the same weights; and its name."""
    if importlib.util.find_spec('mmpose') and name in MMPOSE_CONFIGS:
        from .baseline.mmpose_step import MMPoseNetwork

        peer = MMPoseNetwork(MMPOSE_CONFIGS[name], batch)
        return peer, peer.name
    return PlainStep(network, dict(config.optim_wrapper.optimizer), batch), 'MMPose-style code'


MMPOSE_CONFIGS = {
    'HRNetV2-W18': 'topdown_heatmap/wflw/td-hm_hrnetv2-w18_8xb64-60e_wflw-256x256.py',
    'ResNet-50': 'topdown_regression/wflw/td-reg_res50_8xb64-210e_wflw-256x256.py',
}


def predicted_points(model: str, speed: Speed, count: int) -> Tensor:
    """Return what a model of the zoo predicts for drawn faces, (N, K, 2) in pixels of their crops."""
    from ..inference import load

    predictor: Any = load(model, device='cpu', speed=speed)
    steps = predictor.dataset.pipeline
    data = SyntheticFaces(count=count, size=160, markup='wflw')
    data.pipeline = steps
    found = []
    for start in range(0, count, 20):
        batch = predictor.collate([data[i] for i in range(start, min(start + 20, count))])
        prepared = predictor.landmarker.data_preprocessor(batch)
        with torch.no_grad():
            found.append(predictor.landmarker.answer(prepared['inputs'])[0])
    return torch.cat(found)


def _difference(model: str) -> Row:
    """The distance of predictions in bf16 from those in float32, of one trained network."""
    plain, fast = (predicted_points(model, speed, FACES) for speed in (Speed(), Speed('bf16', channels_last=True)))
    distance = (plain - fast).norm(dim=-1)
    within = (distance < 0.1).float().mean() * 100
    note = (
        f'{FACES} drawn faces, pixels of the crop: {within:.1f} % of the points below 0.1, largest {distance.max():.2f}'
    )
    return Row(f'predictions of {model}, bf16 against fp32', Amount(float(distance.mean()), 'px'), note=note)


def _kept_memory(options: Options) -> Row:
    """A training step in a process that keeps freed memory, and in one that does not."""
    quantity, count = f'training step, HRNetV2-W18, batch {batch_size(options)}, keep_memory', batch_size(options)
    if not sys.platform.startswith('linux'):
        return not_measured(quantity, 'only the C library of Linux keeps memory')
    results = {keep: _in_process(keep, count) for keep in (False, True)}
    (plain, faults, peak), (kept, kept_faults, kept_peak) = results[False], results[True]
    note = f'page faults {faults:.0f} -> {kept_faults:.0f}, memory {peak:.0f} -> {kept_peak:.0f} MB'
    return Row(
        quantity, Amount(kept / count, 's'), Amount(plain / count, 's'), 'the allocator as it is', note, rounds=1
    )


STEPS_IN_PROCESS = """
import resource, sys, time
import torch
from facelmk.bench.step import FastStep, random_batch
from facelmk.config import load_config
from facelmk.engine.speed import Speed
from facelmk.files.allocator import reuse_freed_memory
from facelmk.registry import MODELS
torch.set_num_threads(1)
if sys.argv[1] == 'True':
    reuse_freed_memory()
config, batch = load_config('hrnetv2_w18_wflw'), random_batch(256, int(sys.argv[2]))
step = FastStep(config, Speed(), MODELS.build(config.model))
step(batch), step(batch)
before, start = resource.getrusage(resource.RUSAGE_SELF).ru_minflt, time.process_time()
step(batch), step(batch)
usage = resource.getrusage(resource.RUSAGE_SELF)
print((time.process_time() - start) / 2, (usage.ru_minflt - before) / 2, usage.ru_maxrss / 1024)
"""


def _in_process(keep: bool, count: int) -> list[float]:
    """Return CPU seconds and page faults of a step, and the largest memory in MB."""
    command = [sys.executable, '-c', STEPS_IN_PROCESS, str(keep), str(count)]
    environment = os.environ | {'PYTHONPATH': os.pathsep.join(filter(None, sys.path))}
    printed = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    return [float(word) for word in printed.split()[-3:]]
