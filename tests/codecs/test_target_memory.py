"""The memory of targets: it is used again once a target is gone, and never before."""

import threading

import pytest
import torch
from torch import nn

from facelmk.codecs import Boundary, Heatmap, Integral, Megvii
from facelmk.codecs.memory import MAX_BLOCKS, empty_like
from facelmk.models.landmarker import LossTerm

LIKE = torch.zeros(2, 98, 16, 16)
VISIBLE = torch.ones(2, 98)


@pytest.fixture(autouse=True)
def small_targets(monkeypatch):
    """Targets of 200 kB count as large ones."""
    monkeypatch.setattr('facelmk.codecs.memory.LEAST_BYTES', 100_000)


def faces(seed):
    return 10 + torch.rand(2, 98, 2, generator=torch.Generator().manual_seed(seed)) * 44


def encode(seed, codec=None, like=LIKE):
    return (codec or Heatmap()).encode(faces(seed), VISIBLE, like, 64)[0]


def addresses(function):
    """What a function returns in a thread of its own, which has no memory of earlier targets."""
    returned = []
    thread = threading.Thread(target=lambda: returned.append(function()))
    thread.start()
    thread.join()
    return returned[0]


def test_the_memory_of_a_target_that_is_gone_is_used_again():
    assert addresses(lambda: len({encode(seed).data_ptr() for seed in range(5)})) == 1


def test_a_smaller_batch_uses_it_too_and_a_small_target_does_not():
    def run():
        first = encode(0).data_ptr()
        smaller = empty_like(LIKE, (2, 60, 16, 16)).data_ptr()
        return first == smaller, encode(0, like=torch.zeros(2, 98, 4, 4)).data_ptr() == first

    assert addresses(run) == (True, False)


KEEP = {
    'the target': lambda target: target,
    'a view': lambda target: target[1:, 5, ::3],
    'a detached view': lambda target: target.detach().flatten(1),
    'an array': lambda target: target.numpy()[1:2],
    'a storage': lambda target: target.untyped_storage(),
    'a gradient': lambda target: (torch.ones(2, 98, 16, 16, requires_grad=True) * target).sum(),
    'a parameter': lambda target: nn.Parameter(target),
}


@pytest.mark.parametrize('how', KEEP)
def test_memory_that_something_refers_to_is_not_used_again(how):
    def run():
        kept, expected = KEEP[how](encode(0)), encode(0).clone()
        again = [encode(seed).data_ptr() for seed in range(1, 4)]
        fresh = encode(0)
        return kept, expected, again, fresh

    kept, expected, again, fresh = addresses(run)
    assert len(set(again)) == 1  # one block is free, the kept one is not
    if how == 'a gradient':
        kept.backward()
    for actual, plain in ((kept, expected), (fresh, expected)):
        if isinstance(actual, torch.Tensor) and actual.shape == plain.shape:
            assert torch.equal(actual.detach(), plain)
    if how in ('a view', 'a detached view'):
        assert torch.equal(torch.as_tensor(kept), KEEP[how](expected))
    if how == 'an array':
        assert (kept == KEEP[how](expected)).all()


def gradient(terms, seeds):
    """The gradient of all terms for several batches, whose graphs live at the same time."""
    output = (torch.arange(LIKE.numel()).remainder(97) / 97).view_as(LIKE).clone().requires_grad_()
    losses = [term([output, output * 2], faces(seed), VISIBLE, 64) for seed in seeds for term in terms]
    torch.stack(losses).sum().backward()
    return output.grad


def test_two_terms_of_several_stages_and_accumulated_batches_have_their_own_targets(monkeypatch):
    """More graphs are alive than blocks are kept: the others have memory of their own."""
    terms = [
        LossTerm(dict(type='HeatmapMSELoss'), 1.0, Heatmap(sigma=3.0)),
        LossTerm(dict(type='AdaptiveWingLoss'), 0.5, Heatmap(sigma=1.5, centre='cell')),
    ]
    seeds = range(MAX_BLOCKS)
    actual = gradient(terms, seeds)
    with monkeypatch.context() as context:
        context.setattr('facelmk.codecs.memory.empty_like', lambda like, shape: torch.empty(shape))
        expected = gradient(terms, seeds)
    assert torch.equal(actual, expected) and actual.abs().max() > 0


@pytest.mark.parametrize('codec', [Heatmap(), Megvii(), Integral(), Boundary('wflw')], ids=lambda c: type(c).__name__)
def test_targets_in_used_memory_are_those_in_new_memory(codec):
    like = torch.zeros(2, codec.channels(98), 16, 16)
    expected = [encode(seed, codec, like).clone() for seed in range(2)]
    for seed in (0, 1, 0):
        torch.full((2, 99, 16, 16), torch.nan)  # memory that malloc may give out again
        assert torch.equal(encode(seed, codec, like), expected[seed])


def test_threads_have_memory_of_their_own():
    targets = {}

    def work(seed):
        for _ in range(5):
            targets[seed] = encode(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, target in targets.items():
        assert torch.equal(target, encode(seed))


def test_the_number_of_blocks_is_limited():
    def run():
        targets = [empty_like(LIKE, LIKE.shape) for _ in range(MAX_BLOCKS + 2)]
        first = {target.data_ptr() for target in targets}
        del targets
        # all blocks are free now
        again = [empty_like(LIKE, LIKE.shape) for _ in range(MAX_BLOCKS + 2)]
        return len(first), len(first & {target.data_ptr() for target in again[:MAX_BLOCKS]})

    assert addresses(run) == (MAX_BLOCKS + 2, MAX_BLOCKS)


@pytest.mark.parametrize('dtype', [torch.float64, torch.float16, torch.bfloat16])
def test_other_precisions_are_the_rounded_target(dtype):
    like = torch.zeros(2, 98, 16, 16, dtype=dtype)
    assert torch.equal(encode(0, like=like), encode(0).to(dtype))


def test_points_may_require_gradients():
    points = faces(0).requires_grad_()
    Heatmap().encode(points, VISIBLE, LIKE, 64)[0].sum().backward()
    assert points.grad is not None and points.grad.isfinite().all()
