"""Data that are used as they cannot be: more batches than faces, a pipeline that packs without a crop."""

import pytest
from mmengine.runner.runner import _SlicedDataset

from facelmk.datasets.sampler import FaceSampler
from facelmk.datasets.transforms.pack import PackFace
from facelmk.errors import FacelmkError


def test_more_batches_than_faces_are_refused() -> None:
    FaceSampler(_SlicedDataset(range(16), 8), seed=0)
    with pytest.raises(FacelmkError, match='num_batch_per_epoch.*17.*16'):
        FaceSampler(_SlicedDataset(range(16), 17), seed=0)


def test_a_pipeline_without_a_crop_is_refused() -> None:
    with pytest.raises(FacelmkError, match='CropFace'):
        PackFace().transform(dict(id='a'))
