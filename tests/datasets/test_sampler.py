"""The order of the faces: that of mmengine's sampler, without a list of all indices."""

import gc
import tracemalloc
from itertools import islice

import pytest
from mmengine.dataset import DefaultSampler
from mmengine.runner.runner import _SlicedDataset

from facelmk.datasets import FaceSampler


def on_rank(sampler: DefaultSampler, rank: int, world: int) -> DefaultSampler:
    """Return the sampler as a process of a distributed run has it, with mmengine's own arithmetic."""
    sampler.rank, sampler.world_size = rank, world
    count = len(sampler.dataset)
    rounded = -(-count // world)
    sampler.num_samples = rounded if sampler.round_up else -(-(count - rank) // world)
    sampler.total_size = rounded * world if sampler.round_up else count
    return sampler


@pytest.mark.parametrize('shuffle', [True, False])
@pytest.mark.parametrize('round_up', [True, False])
@pytest.mark.parametrize(('count', 'world'), [(1, 1), (1000, 1), (1001, 8), (3, 8), (64, 8)])
def test_the_order_is_that_of_mmengine_on_every_rank(shuffle, round_up, count, world):
    for rank in range(world):
        ours, theirs = (
            on_rank(kind(range(count), shuffle, 5, round_up), rank, world) for kind in (FaceSampler, DefaultSampler)
        )
        for epoch in (0, 3):
            ours.set_epoch(epoch), theirs.set_epoch(epoch)
            assert list(ours) == [(5, epoch, index) for index in theirs]
        assert len(ours) == len(theirs)


def test_a_resumed_epoch_continues_and_a_part_of_a_set_is_permuted_alone():
    sampler = FaceSampler(_SlicedDataset(range(50), 16), seed=3)
    whole = list(sampler)
    assert sorted(index for _, _, index in whole) == list(range(16))
    assert [index for _, _, index in whole] == list(DefaultSampler(range(16), seed=3))
    sampler.skip = 5
    assert list(sampler) == whole[5:]
    assert list(sampler) == whole  # once only


def test_an_epoch_of_a_million_faces_holds_no_list_of_integers():
    sampler = on_rank(FaceSampler(range(1_000_000), seed=0), 0, 8)
    gc.collect()
    tracemalloc.start()
    part = list(islice(sampler, 10))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(part) == 10 and all(type(index) is int for *_, index in part)
    assert peak < 8_000_000, f'{peak} bytes; a list of all indices takes 36 MB'
