"""Random faces, and a fixture that measures them."""

import numpy as np
import pytest
import torch

from facelmk.registry import METRICS


def make_batch(landmarks, predicted, visible=None, norm=None, box=None, tags=None, ids=None, scores=None):
    """A batch as the collate function returns it, and predictions as the model returns them."""
    count, points = np.shape(landmarks)[:2]
    ids = [f'{i}.png' for i in range(count)] if ids is None else ids
    truth = {
        'id': list(ids),
        'landmarks': torch.as_tensor(np.asarray(landmarks)),
        'visible': torch.ones(count, points) if visible is None else torch.as_tensor(np.asarray(visible, float)),
        'norm': torch.full((count,), torch.nan) if norm is None else torch.as_tensor(np.asarray(norm, float)),
        'box': torch.tensor([[0.0, 0, 3, 4]] * count) if box is None else torch.as_tensor(np.asarray(box, float)),
        'tags': [()] * count if tags is None else tags,
    }
    scores = np.ones((count, points)) if scores is None else scores
    predictions = [
        {'id': name, 'landmarks': torch.as_tensor(np.asarray(p)), 'scores': torch.as_tensor(s)}
        for name, p, s in zip(ids, predicted, scores, strict=True)
    ]
    return {'data_samples': truth}, predictions


@pytest.fixture
def batch():
    """A function that makes a batch of ground truth and predictions."""
    return make_batch


@pytest.fixture
def measure():
    """A function that builds a metric from its config, processes batches and evaluates."""

    def run(config, batches, markup='wflw', subsets=(), size=None):
        metric = METRICS.build(config)
        metric.dataset_meta = {'markup': markup, 'subsets': subsets}
        for truth, predictions in batches:
            metric.process(truth, predictions)
        return metric.evaluate(sum(len(p) for _, p in batches) if size is None else size)

    return run
