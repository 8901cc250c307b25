"""The boundary map: its curves, distances and hidden segments; and Adaptive Wing's own decoding."""

import itertools

import numpy as np
import pytest
import torch
from scipy.interpolate import splev, splprep

from facelmk import FacelmkError
from facelmk.codecs import Boundary, Heatmap
from facelmk.codecs.boundary import boundary_map, segments
from facelmk.datasets import SyntheticFaces
from facelmk.markups import MARKUPS, Markup

WFLW = MARKUPS['wflw']


@pytest.fixture(scope='module')
def faces():
    """Four drawn faces (4, 98, 2), their boxes 1.25 times in crops of 256."""
    data = SyntheticFaces('wflw', 4, seed=1, size=256, pipeline=[])
    landmarks = np.stack([data.face(i)['landmarks'] for i in range(4)])
    low, high = landmarks.min(1, keepdims=True), landmarks.max(1, keepdims=True)
    side = (high - low).max(-1, keepdims=True) * 1.25
    return torch.from_numpy(((landmarks - (low + high) / 2) / side + 0.5) * 256).float()


def lines_of(points, line_sigma=1.0, **options):
    """The codec's last map (B, 64, 64) for points in crops of 256."""
    codec = Boundary('wflw', line_sigma=line_sigma, **options)
    return codec.encode(points, torch.ones(points.shape[:2]), torch.zeros(len(points), 99, 64, 64), 256)[0][:, -1]


def map_of(cells, line, sigma=1.0, side=16, hidden=()):
    """The map (side, side) of one line through cells (K, 2)."""
    cells = torch.tensor(cells)[None]
    visible = torch.tensor([[i not in hidden for i in range(cells.shape[1])]])
    return boundary_map(cells, visible, (line,), (side, side), sigma)[0]


def test_the_lines_are_those_of_the_published_drawing():
    """The 13 polylines of the published code."""
    spans = [
        (0, 32),
        (33, 37),
        (42, 46),
        (60, 64),
        (60, 67, 66, 65, 64),
        (68, 72),
        (68, 75, 74, 73, 72),
        (51, 54),
        (55, 59),
        (76, 82),
        (88, 92),
        (76, 87, 86, 85, 84, 83, 82),
        (88, 95, 94, 93, 92),
    ]
    assert WFLW.lines == tuple(tuple(range(s[0], s[1] + 1)) if len(s) == 2 else s for s in spans)
    spans = [
        (0, 16),
        (17, 21),
        (22, 26),
        (36, 39),
        (36, 41, 40, 39),
        (42, 45),
        (42, 47, 46, 45),
        (27, 30),
        (31, 35),
        (48, 54),
        (60, 64),
        (48, 59, 58, 57, 56, 55, 54),
        (60, 67, 66, 65, 64),
    ]
    assert MARKUPS['300w'].lines == tuple(tuple(range(s[0], s[1] + 1)) if len(s) == 2 else s for s in spans)


@pytest.mark.parametrize('sigma', [1.0, 1.5])
def test_heights_follow_the_distance_to_a_straight_line(sigma):
    """From (3, 5.25) to (11, 5.25): the line's ends are round."""
    actual = map_of([[3.0, 5.25], [7.0, 5.25], [11.0, 5.25]], (0, 1, 2), sigma)
    y, x = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing='ij')
    distance = torch.hypot(x - x.clamp(3, 11), y - 5.25)
    expected = torch.exp(-(distance**2) / (2 * sigma**2)) * (distance < 3 * sigma)
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=0)
    assert (actual[5, 15] > 0) == (sigma > 1) and actual[5, 7] == pytest.approx(np.exp(-0.03125 / sigma**2))


def test_a_line_of_three_points_is_a_parabola():
    """Both chords have length 5, so x is linear in the parameter: y = 4 - 4 / 9 (x - 3)^2."""
    knots = torch.tensor([[[0.0, 0.0], [3.0, 4.0], [6.0, 0.0]]])
    _, start, end = segments(knots, torch.ones(1, 3) > 0, ((0, 1, 2),), 99)
    for x, y in (start.unbind(1), end.unbind(1)):
        torch.testing.assert_close(y, 4 - (x - 3) ** 2 * 4 / 9, atol=1e-5, rtol=0)
    assert torch.equal(start[1:], end[:-1]) and start[0].tolist() == [0, 0] and end[-1].tolist() == [6, 0]
    assert (end - start).norm(dim=-1).max() < 1.2


def test_the_curves_are_close_to_scipys_interpolating_splines(faces):
    """The published code uses splprep with s=0. Both pass through the same points; splprep overshoots more in bends."""
    cells, distances = Boundary('wflw').cells(faces, (64, 64), 256), []
    for line in WFLW.lines:
        face, start, _ = segments(cells, torch.ones(4, 98) > 0, (line,), 128)
        for i in range(4):
            curve = splprep(cells[i, list(line)].T.double().numpy(), s=0, k=3)[0]
            expected = torch.from_numpy(np.stack(splev(np.linspace(0, 1, 2000), curve), -1)).float()
            distances.append(torch.cdist(start[face == i], expected).amin(1))
    distance = torch.cat(distances)
    assert distance.mean() < 0.05 and distance.quantile(0.95) < 0.2 and distance.max() < 1.1


def test_each_cell_has_its_distance_to_the_curve(faces):
    """Against the distance to 40 samples of each segment, computed for all cells."""
    cells = Boundary('wflw').cells(faces, (64, 64), 256)
    actual = boundary_map(cells, torch.ones(4, 98) > 0, WFLW.lines, (64, 64), 1.0)
    face, start, end = segments(cells, torch.ones(4, 98) > 0, WFLW.lines, 128)
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing='ij')
    grid = torch.stack((x, y), -1).view(-1, 2)
    t = torch.linspace(0, 1, 40)[:, None, None]
    for i in range(2):
        samples = (start[face == i] * (1 - t) + end[face == i] * t).view(-1, 2)
        distance = torch.cdist(grid, samples).amin(1).view(64, 64)
        expected = torch.exp(-(distance**2) / 2) * (distance < 3)
        assert (actual[i] - expected).abs().max() < 0.012  # exp(-9/2), where the map is cut off


def test_the_map_contains_its_points_and_moves_with_them(faces):
    shifted = faces + torch.tensor([8.0, -4.0])
    maps, others = lines_of(faces), lines_of(shifted)
    torch.testing.assert_close(others[:, 4:60, 6:60], maps[:, 5:61, 4:58], atol=1e-4, rtol=0)
    indices = torch.tensor(sorted(set(sum(WFLW.lines, ()))))
    cells = Boundary('wflw').cells(faces, (64, 64), 256)[:, indices].round().long().clamp(0, 63)
    assert maps[torch.arange(4)[:, None], cells[..., 1], cells[..., 0]].min() > np.exp(-0.25) - 0.01


def test_segments_at_invisible_points_are_left_out():
    knots = [[2.0, 3.0], [5.0, 3.0], [90.0, -70.0], [11.0, 3.0], [14.0, 3.0]]
    actual = map_of(knots, (0, 1, 2, 3, 4), hidden=(2,))
    parts = torch.maximum(map_of(knots, (0, 1)), map_of(knots, (3, 4)))
    torch.testing.assert_close(actual, parts, atol=1e-5, rtol=0)
    assert actual[3, 8] == 0 < actual[3, 6]
    assert map_of(knots, (0, 1), hidden=(0, 1)).max() == 0


def test_coincident_and_far_points_give_finite_maps():
    actual = map_of([[4.0, 4.0], [4.0, 4.0], [4.0, 4.0], [1e6, 4.0]], (0, 1, 2, 3))
    assert actual.isfinite().all() and actual[4, 4] > 0.99 and actual.max() <= 1


def test_weights_and_channels(faces):
    codec = Boundary('wflw')
    maps, weight = codec.encode(faces, torch.zeros(4, 98), torch.zeros(4, 99, 64, 64), 256)
    assert codec.channels(98) == 99 and maps.shape == (4, 99, 64, 64)
    assert maps.abs().max() == 0 and weight[:, :98].max() == 0 and (weight[:, 98] == 1).all()
    maps, _ = codec.encode(faces, torch.ones(4, 98), torch.zeros(4, 99, 64, 64), 256)
    assert torch.equal(maps[:, :98], Heatmap().encode(faces, torch.ones(4, 98), torch.zeros(4, 98, 64, 64), 256)[0])


def test_a_mirrored_face_has_mirrored_lines_in_the_last_map(faces):
    codec, order = Boundary('wflw'), torch.from_numpy(WFLW.mirror)
    mirrored = torch.stack((255 - faces[..., 0], faces[..., 1]), -1)[:, order]
    like, visible = torch.zeros(4, 99, 64, 64), torch.ones(4, 98)
    flipped = codec.flip(codec.encode(mirrored, visible, like, 256)[0], order, 256)
    torch.testing.assert_close(flipped, codec.encode(faces, visible, like, 256)[0], atol=2e-3, rtol=0)


def test_a_markup_without_lines_is_refused():
    MARKUPS.add(Markup('dots', 2, pairs=()))
    try:
        with pytest.raises(FacelmkError, match='no lines'):
            Boundary('dots')
    finally:
        del MARKUPS['dots']


def official(maps):
    """The official decoding: cells counted from 1, moved by a quarter, minus a half, times 4."""
    actual = np.zeros((len(maps), 2))
    for i, cells in enumerate(maps):
        y, x = np.unravel_index(cells.argmax(), cells.shape)
        shifted = np.zeros(2)
        if 0 < x < 63 and 0 < y < 63:
            shifted = np.sign([cells[y, x + 1] - cells[y, x - 1], cells[y + 1, x] - cells[y - 1, x]]) * 0.25
        actual[i] = (np.array([x + 1, y + 1]) + shifted - 0.5) * 4
    return actual


def test_the_official_decoding_is_ours_plus_half_a_pixel():
    """Cell (20, 31) of a stride of 4, higher to its right and above: 4 * (20.5 + .25), 4 * (31.5 - .25)."""
    maps = torch.zeros(1, 99, 64, 64)
    maps[0, :, 31, 20], maps[0, :, 31, 21], maps[0, :, 30, 20] = 1.0, 0.5, 0.5
    assert official(maps[0].numpy())[0].tolist() == [83.0, 125.0]
    assert Boundary('wflw', corner=True).decode(maps, 256)[0][0, 0].tolist() == [83.0, 125.0]
    assert Boundary('wflw').decode(maps, 256)[0][0, 0].tolist() == [82.5, 124.5]
    assert Boundary('wflw', aligned=False).decode(maps, 256)[0][0, 0].tolist() == [81.0, 123.0]


@pytest.mark.parametrize(('column', 'row'), list(itertools.product([0, 1, 2, 30, 61, 62, 63], repeat=2)))
def test_the_official_decoding_at_the_edge_of_the_grid(column, row):
    noise = torch.from_numpy(np.random.RandomState(64 * row + column).rand(1, 99, 64, 64)).float()
    noise[..., row, column] = 2
    actual = Boundary('wflw', corner=True).decode(noise, 256)[0][0].numpy()
    assert np.array_equal(actual, official(noise[0, :98].numpy()))


@pytest.mark.parametrize(('sigma', 'radius'), [(1.75, 3), (2.5, 7)])
def test_peaks_of_the_published_settings(sigma, radius):
    """The peak is on the cell of the point, by pixel corners, and is cut off beyond `radius` cells."""
    codec = Boundary('wflw', sigma=sigma, radius=radius, centre='cell', corner=True)
    points = torch.full((1, 98, 2), 128.0)
    points[0, 0] = torch.tensor([83.9, 124.0])
    peak = codec.encode(points, torch.ones(1, 98), torch.zeros(1, 99, 64, 64), 256)[0][0, 0]
    y, x = np.mgrid[:64, :64]
    expected = np.exp(-((x - 20) ** 2 + (y - 31) ** 2) / (2 * sigma**2))
    expected[(abs(x - 20) > radius) | (abs(y - 31) > radius)] = 0
    np.testing.assert_allclose(peak.numpy(), expected, atol=1e-6)
