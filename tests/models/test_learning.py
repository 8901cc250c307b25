"""Networks with each kind of target learn a few drawn faces: the loss falls, and so does the error with a flip test."""

import pytest
import torch

from facelmk.datasets import SyntheticFaces, collate_faces
from facelmk.registry import MODELS

STEPS = 25
RATES = {'SimCC, dark': 3e-4}  # attention diverges at the rate of the others
FORMS = {
    'UDPCombined': dict(
        head=dict(type='HeatmapHead'),
        codec=dict(type='UDPCombined', radius_factor=0.1),
        loss=[dict(loss=dict(type='HeatmapMSELoss'), weight=1.5)],
    ),
    'SimCC, dark': dict(
        head=dict(type='RTMCCHead', stride=4),
        codec=dict(type='SimCC', sigma=(4.9, 5.66), refine='dark'),
        loss=dict(type='KLDiscretLoss'),
    ),
    'RLE': dict(head=dict(type='RLEHead'), codec=dict(type='RLE'), loss=dict(type='RLELoss')),
}


@pytest.fixture(scope='module')
def batch():
    steps = [dict(type='LoadImage'), dict(type='CropFace', size=64), dict(type='PackFace')]
    drawn = SyntheticFaces('300w', 4, 1, size=64, pipeline=steps)
    return collate_faces([drawn[i] for i in range(4)])


@pytest.mark.parametrize('form', FORMS)
def test_a_few_faces_are_learnt(form, batch):
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type='FaceLandmarker', backbone=dict(type='QuickNet'), markup='300w', size=64, flip_test=True, **FORMS[form]
        )
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=RATES.get(form, 5e-3))
    losses, errors = [], [error(model, batch)]
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = sum(model(**model.data_preprocessor(batch, True), mode='loss').values())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    errors.append(error(model, batch))
    assert losses[-1] < losses[0]
    assert errors[1] < 0.6 * errors[0]


def error(model, batch):
    """The mean distance in pixels of the photograph."""
    model.eval()
    with torch.no_grad():
        faces = model(**model.data_preprocessor(batch), mode='predict')
    model.train()
    landmarks = torch.stack([face['landmarks'] for face in faces])
    return float((landmarks - batch['data_samples']['landmarks']).norm(dim=-1).mean())
