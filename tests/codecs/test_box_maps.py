"""Laws of BoxMaps: decode inverts encode, a mirror mirrors, and weights of 0 where nothing is known."""

import pytest
import torch
from torch import Tensor

from facelmk.codecs import BoxMaps
from facelmk.codecs.box_maps import box_overlaps

SIZE = 192
FORMS = [{}, dict(stride=4), dict(stride=16), dict(sigma=0.2)]


def scenes() -> list[Tensor]:
    """The boxes of two scenes: faces of 14 to 90 pixels, then none."""
    boxes = [[10.3, 20.1, 22.0, 34.6], [60, 50, 150, 131], [20.5, 120, 61.2, 160.4], [160, 10, 189, 44]]
    return [torch.tensor(boxes), torch.zeros(0, 4)]


def encode(codec: BoxMaps, boxes: list[Tensor], ignored: list[Tensor] | None = None) -> tuple[Tensor, Tensor]:
    like = torch.zeros(len(boxes), 5, SIZE // codec.stride, SIZE // codec.stride)
    return codec.encode(boxes, ignored or [torch.zeros(len(rows), dtype=torch.bool) for rows in boxes], like, SIZE)


def in_order(boxes: Tensor) -> Tensor:
    return boxes[boxes[:, 0].argsort()]


def mirrored(boxes: Tensor) -> Tensor:
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack((SIZE - 1 - x2, y1, SIZE - 1 - x1, y2), -1)


@pytest.mark.parametrize('form', FORMS, ids=str)
def test_decoding_undoes_encoding(form: dict) -> None:
    codec, boxes = BoxMaps(**form), scenes()
    target, weight = encode(codec, boxes)
    assert target.shape == weight.shape and torch.isfinite(target).all()
    (found, scores), (none, no_scores) = codec.decode(target, SIZE)
    assert (in_order(found) - in_order(boxes[0])).abs().max() <= codec.tolerance
    assert (scores > 0.99).all() and len(none) == len(no_scores) == 0


@pytest.mark.parametrize('form', FORMS, ids=str)
def test_mirrored_maps_are_the_maps_of_the_mirrored_faces(form: dict) -> None:
    codec, boxes = BoxMaps(**form), scenes()
    target, weight = encode(codec, boxes)
    other, other_weight = encode(codec, [mirrored(rows) for rows in boxes])
    used = weight[:, 1:2].flip(-1) > 0
    assert ((codec.flip(target) - other) * used).abs().max() < 1e-4
    assert (weight.flip(-1) - other_weight).abs().max() < 1e-5
    assert torch.equal(codec.flip(codec.flip(target)), target)


@pytest.mark.parametrize('form', FORMS, ids=str)
def test_each_face_has_weight_1(form: dict) -> None:
    _, weight = encode(BoxMaps(**form), scenes())
    assert weight[:, 1].sum((1, 2)).tolist() == pytest.approx([4, 0], abs=1e-4)
    assert (weight[:, 0] == 1).all()


@pytest.mark.parametrize(
    ('box', 'is_ignored'),
    [
        ([100.0, 100.0, 140.0, 150.0], True),
        ([100.0, 100.0, 105.0, 104.0], False),  # too small
        ([20.0, 20.0, 170.0, 180.0], False),  # too large
        ([-60.0, 40.0, 20.0, 110.0], False),  # its centre lies outside
    ],
)
def test_a_face_that_does_not_count_is_neither_face_nor_background(box: list[float], is_ignored: bool) -> None:
    codec = BoxMaps(smallest=9, largest=100)
    target, weight = encode(codec, [torch.tensor([box])], [torch.tensor([is_ignored])])
    assert weight[:, 1:].sum() == 0 and not len(codec.decode(target)[0][0])
    x, y = torch.arange(24) * 8 + 3.5, (torch.arange(24) * 8 + 3.5)[:, None]
    inside = (x >= box[0]) & (x <= box[2]) & (y >= box[1]) & (y <= box[3])
    assert torch.equal(weight[0, 0] == 0, inside)


def test_a_face_in_front_of_an_ignored_one_counts() -> None:
    codec = BoxMaps()
    boxes = torch.tensor([[20.0, 20.0, 170.0, 180.0], [80.0, 80.0, 110.0, 112.0]])
    target, weight = encode(codec, [boxes], [torch.tensor([True, False])])
    assert weight[0, 1].sum() == pytest.approx(1) and weight[0, 0, 12, 11] == 1
    assert (codec.decode(target)[0][0] - boxes[1:]).abs().max() < codec.tolerance


def test_a_box_that_overlaps_a_better_one_is_removed() -> None:
    target, _ = encode(BoxMaps(), [torch.tensor([[40.0, 40.0, 100.0, 100.0]])])
    target[0, :, 8, 11] = target[0, :, 8, 8]
    target[0, 0, 8, 11] = 1.0  # a lower score
    target[0, 1, 8, 11] -= 2  # three cells to the right, and one cell is the shift between both boxes
    [(found, scores)] = BoxMaps(most_overlap=0.4).decode(target)
    assert len(found) == 1 and scores[0] > 0.99
    [(found, scores)] = BoxMaps(most_overlap=0.95).decode(target)
    assert (found[1] - found[0]).tolist() == pytest.approx([8, 0, 8, 0], abs=1e-4)
    assert scores[1].item() == pytest.approx(torch.tensor(1.0).sigmoid().item())


def test_overlaps_by_hand() -> None:
    a = torch.tensor([[0.0, 0.0, 2.0, 2.0]])
    b = torch.tensor([[1.0, 0.0, 3.0, 2.0], [5.0, 5.0, 6.0, 6.0], [0.0, 0.0, 2.0, 2.0]])
    assert box_overlaps(a, b)[0].tolist() == pytest.approx([1 / 3, 0, 1])
