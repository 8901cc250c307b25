"""FaceDetector: boxes in pixels of the photograph, parts that do not fit, and that it learns."""

from typing import Any

import pytest
import torch

from facelmk.errors import FacelmkError
from facelmk.models import FaceDetector
from facelmk.models.face_detector import boxes_to_photo

PARTS: dict[str, dict[str, Any]] = dict(
    backbone=dict(type='SceneNet', width=16, widths=(8, 16, 16, 16), depths=(0, 1, 1, 1), merged=(0, 0)),
    head=dict(type='BoxHead'),
    codec=dict(type='BoxMaps'),
    loss=dict(type='BoxMapsLoss'),
)


def samples(boxes: list[torch.Tensor], warp: torch.Tensor) -> dict[str, Any]:
    return dict(
        id=[str(i) for i in range(len(boxes))],
        crop_boxes=boxes,
        ignored=[torch.zeros(len(rows), dtype=torch.bool) for rows in boxes],
        warp=warp.expand(len(boxes), 3, 3),
    )


def test_boxes_are_in_pixels_of_the_photograph() -> None:
    """The crop is the mirrored photograph at half its size: x' = 63 - x / 2, y' = y / 2 + 3."""
    warp = torch.tensor([[-0.5, 0.0, 63.0], [0.0, 0.5, 3.0], [0.0, 0.0, 1.0]])
    model = FaceDetector(**PARTS, size=64).eval()
    boxes = [torch.tensor([[10.0, 20.0, 30.0, 44.0]]), torch.zeros(0, 4)]
    truth = samples(boxes, warp)
    target, _ = model.codec.encode(truth['crop_boxes'], truth['ignored'], torch.zeros(2, 5, 8, 8), 64)
    model.head.forward = lambda features: [target]
    first, second = model(torch.zeros(2, 3, 64, 64), truth, mode='predict')
    assert (first['id'], second['id']) == ('0', '1') and len(second['boxes']) == len(second['scores']) == 0
    assert first['boxes'][0].tolist() == pytest.approx([66, 34, 106, 82], abs=0.1)
    assert boxes_to_photo(torch.zeros(0, 4), warp).shape == (0, 4)


def test_at_the_start_few_cells_are_faces() -> None:
    torch.manual_seed(0)
    model = FaceDetector(**PARTS).eval()
    with torch.no_grad():
        output = model(torch.randn(1, 3, 96, 64))[-1]
    assert output.shape == (1, 5, 12, 8)
    assert output[:, 0].sigmoid().mean().item() == pytest.approx(0.01, abs=0.005)


@pytest.mark.parametrize(
    ('changed', 'named'),
    [
        (dict(codec=dict(type='Heatmap')), 'Heatmap'),
        (dict(head=dict(type='HeatmapHead')), 'HeatmapHead'),
        (dict(loss=dict(type='WingLoss')), 'WingLoss'),
        (dict(size=100), '100'),
    ],
)
def test_parts_that_do_not_fit_are_refused(changed: dict[str, Any], named: str) -> None:
    with pytest.raises(FacelmkError, match=named):
        FaceDetector.check_arguments(PARTS | changed)
    FaceDetector.check_arguments(PARTS | dict(size=96))


def test_it_learns_where_two_squares_are() -> None:
    torch.manual_seed(0)
    model = FaceDetector(**PARTS, size=64)
    boxes = [torch.tensor([[8.0, 8.0, 31.0, 31.0]]), torch.tensor([[30.0, 26.0, 53.0, 55.0]]), torch.zeros(0, 4)]
    images = torch.zeros(3, 3, 64, 64)
    for image, rows in zip(images, boxes, strict=True):
        for x1, y1, x2, y2 in rows.int().tolist():
            image[:, y1 : y2 + 1, x1 : x2 + 1] = 2.0
    truth, optimizer = samples(boxes, torch.eye(3)), torch.optim.Adam(model.parameters(), 5e-3)
    for _ in range(60):
        optimizer.zero_grad()
        model(images, truth, mode='loss')['loss_boxes'].backward()
        optimizer.step()
    with torch.no_grad():
        found = model(images, truth, mode='predict')  # with the statistics of the batch
    assert [len(scene['boxes']) for scene in found if scene['boxes'].numel()] and not (found[2]['scores'] > 0.3).any()
    for scene, rows in zip(found, boxes[:2], strict=False):
        assert scene['scores'][0] > 0.5 and (scene['boxes'][0] - rows[0]).abs().max() < 4
