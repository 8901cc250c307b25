"""Measure which precision and memory layout is the fastest for a network on this device: `speed.fast`."""

import copy
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import torch
from torch import nn

from ..models.crop_network import CropNetwork
from .speed import Speed, check_compiler, convert_weights, half_precision, has_instructions, speed_up

CROPS = 2  # in one call; a forward pass of HRNet-W18 takes half a second on one core
CALLS = 2  # timed after a first one
HOPELESS = 1.3  # times the best: such a candidate is not called again


def speed_up_prediction(network: CropNetwork, size: int, speed: Speed, device: torch.device) -> Speed:
    """Apply the switches to a network that only predicts, on its device; with `fast` measure them before."""
    if speed.fast:
        speed, _ = choose_fastest(copy.deepcopy(network), size, speed, device, training=False)
    if speed.compile:
        check_compiler(device)
    speed_up(network, speed)
    convert_weights(network)
    return speed


def candidates(speed: Speed, device: torch.device) -> Iterator[Speed]:
    """Yield the combinations of what the config leaves open, those first that are usually the fastest."""
    half = half_precision(device)
    precisions = [half, 'fp32'] if has_instructions(half, device) else ['fp32', half]
    chosen = precisions if speed.precision is None else [speed.precision]
    layouts = (True, False) if speed.channels_last is None else (speed.channels_last,)
    for precision, channels_last in product(chosen, layouts):
        yield replace(speed, precision=precision, channels_last=channels_last, compile=None, fast=False)


def choose_fastest(
    network: CropNetwork, size: int, speed: Speed, device: torch.device, training: bool
) -> tuple[Speed, float]:
    """Return the fastest switches, and how many times as fast they are as fp32, NaN if fp32 is no candidate.

    `network` is changed.

    One call is a forward pass, in training with its backward pass, on random pictures of this size.
    """
    with torch.random.fork_rng(devices=[device] if device.type == 'cuda' else []):
        pictures = torch.randn(CROPS, 3, size, size, device=device)
        weights = {name: value.clone() for name, value in network.state_dict().items()}
        network.to(device).train(training)
        best, seconds, plain = speed, float('inf'), float('nan')
        for candidate in candidates(speed, device):
            _reset(network, weights)
            speed_up(network, candidate)
            if not training:
                convert_weights(network)
            is_plain = candidate.precision == 'fp32' and not candidate.channels_last
            limit = float('inf') if is_plain else seconds * HOPELESS  # the ratio needs a call after the first one
            taken = _seconds(network, pictures, training, limit)
            if is_plain:
                plain = taken
            if taken < seconds:
                best, seconds = candidate, taken
    return replace(best, compile=speed.compile), plain / seconds


def _reset(network: nn.Module, weights: dict[str, torch.Tensor]) -> None:
    """Give a network float32 weights in the usual order again."""
    network.float().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    network.load_state_dict(weights)


def _seconds(network: CropNetwork, pictures: torch.Tensor, training: bool, limit: float) -> float:
    """Return the time of the fastest call; one that takes longer than the limit at first is not repeated."""
    times = []
    for _ in range(1 + CALLS):
        start = _now(pictures.device)
        _call(network, pictures, training)
        times.append(_now(pictures.device) - start)
        if times[0] > limit:
            break
    return min(times[1:] or times)


def _call(network: CropNetwork, pictures: torch.Tensor, training: bool) -> None:
    with torch.set_grad_enabled(training):
        stages = network.stages(pictures)
        if training:
            torch.stack([stage.square().mean() for stage in stages]).sum().backward()
            network.zero_grad()


def _now(device: torch.device) -> float:
    """Return the CPU time of this process, which other programs hardly change; of a GPU the time when it is done."""
    if device.type == 'cpu':
        return time.process_time()
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
    return time.perf_counter()
