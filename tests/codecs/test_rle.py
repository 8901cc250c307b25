"""RLE's codec: coordinates and spreads by hand, and as MMPose's RegressionLabel decodes them."""

import torch

from facelmk.codecs import RLE, Coordinates

OUTPUT = torch.tensor([[[0.25, 0.5, 0.02, 0.04], [0.75, 0.125, 0.5, 0.3]]])


def test_scores_are_1_minus_the_mean_spread():
    points, scores = RLE().decode(OUTPUT, 64)
    assert points.tolist() == [[[16, 32], [48, 8]]]
    torch.testing.assert_close(scores, torch.tensor([[0.97, 0.6]]))


def test_spreads_are_swapped_with_their_points():
    flipped = RLE().flip(OUTPUT, torch.tensor([1, 0]), 64)
    torch.testing.assert_close(flipped[0, 0], torch.tensor([1 - 0.75 - 1 / 64, 0.125, 0.5, 0.3]))
    torch.testing.assert_close(flipped[..., :2], Coordinates().flip(OUTPUT[..., :2], torch.tensor([1, 0]), 64))


def test_the_annotation_says_nothing_about_spreads():
    points, visible = torch.tensor([[[16.0, 32], [70, 8], [1, 2]]]), torch.tensor([[1.0, 1, 0]])
    target, weight = RLE().encode(points, visible, torch.zeros(1, 3, 4), 64)
    assert target[0, 0].tolist() == [0.25, 0.5, 0, 0]
    assert weight[0].tolist() == [[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
