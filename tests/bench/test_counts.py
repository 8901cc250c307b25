"""Counts and bytes that must not grow: they are the same on every machine, unlike times."""

import pickle

import numpy as np
import pytest
import torch

from facelmk.bench.counts import batch_bytes, operations
from facelmk.config import load_config
from facelmk.datasets import collate_faces
from facelmk.registry import DATASETS, MODELS

CROP_BYTES = 3 * 256 * 256


@pytest.fixture(scope='module')
def network() -> torch.nn.Module:
    """HRNetV2-W18 with 98 landmarks, not trained."""
    return MODELS.build(load_config('hrnetv2_w18_wflw').model)


def batch_of(count: int) -> dict:
    """A batch of the training pipeline of HRNet, from drawn faces."""
    pipeline = load_config('hrnetv2_w18_wflw').train_dataloader.dataset.pipeline
    dataset = DATASETS.build(dict(type='SyntheticFaces', count=count, size=64, markup='wflw', pipeline=pipeline))
    return collate_faces([dataset[i] for i in range(count)])


def test_operations_are_counted_in_both_directions() -> None:
    x = torch.ones(3, requires_grad=True)
    assert operations(lambda: torch.sin(x)) == 1
    assert operations(lambda: torch.sin(x).cos()) == 2
    assert operations(lambda: torch.sin(x).sum().backward()) > 4


def test_a_sample_is_a_crop_and_coordinates() -> None:
    """0.2 MB from a loader process to the training; crops in float32 and 98 heatmaps would be 2.4 MB."""
    batch = batch_of(4)
    assert CROP_BYTES < batch_bytes(batch) / 4 < 200_000
    assert batch['inputs'].shape == (4, 3, 256, 256) and batch['inputs'].dtype == torch.uint8


def test_views_are_sent_whole() -> None:
    """A batch of views into larger tensors would send all of them; so the bytes count what travels."""
    large = torch.zeros(1000, dtype=torch.uint8)
    assert batch_bytes(large[:10]) > 1000 > batch_bytes(large[:10].clone())
    assert batch_bytes(np.zeros(10)) == len(pickle.dumps(np.zeros(10)))


def test_operations_of_a_forward_pass_of_hrnet(network: torch.nn.Module) -> None:
    """Small networks and small batches wait for the start of operations, not for arithmetic."""
    with torch.inference_mode():
        assert operations(lambda: network.eval()(torch.zeros(1, 3, 64, 64))) <= 1088


def test_operations_of_a_training_step_of_hrnet(network: torch.nn.Module) -> None:
    batch = batch_of(2)
    inputs = torch.rand(2, 3, 64, 64)  # small, so that the test is fast; the count is that of crops of 256 px
    batch['data_samples']['points'] /= 4
    network.train()

    def step() -> None:
        losses = network(inputs, batch['data_samples'], mode='loss')
        sum(losses.values()).backward()

    assert operations(step) <= 4344
