"""Decoding of the few cells around a maximum, against the plain form that pads and copies whole maps."""

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from facelmk.bench.baseline.codec import PlainHeatmap
from facelmk.codecs import UDP, Boundary, Coordinates, Heatmap, HRNetInteger, Integral, Megvii, SimCC, UDPCombined
from facelmk.codecs.blur import blur_matrix_5
from facelmk.codecs.peaks import highest_cells, values_at

FORMS = {
    'quarter': Heatmap(),
    'quarter, MMPose': Heatmap(centre='cell', aligned=False),
    'DARK': Heatmap(refine='dark'),
    'DARK, kernel 17': Heatmap(refine='dark', kernel=17, sigma=3),
    'no refinement': Heatmap(refine=None),
    'HRNet': HRNetInteger(),
}


def plain_windows(maps, x, y, radius):
    (B, K, _, W), side = maps.shape, 2 * radius + 1
    step = torch.arange(side)
    index = (y[..., None, None] + step[:, None]) * (W + 2 * radius) + x[..., None, None] + step
    return F.pad(maps, (radius,) * 4).flatten(-2).gather(-1, index.reshape(B, K, -1)).reshape(B, K, side, side)


def plain_quarter(maps, x, y, inner):
    window, (H, W) = plain_windows(maps, x, y, 1), maps.shape[-2:]
    difference = torch.stack((window[..., 1, 2] - window[..., 1, 0], window[..., 2, 1] - window[..., 0, 1]), -1)
    x_inside, y_inside = (x > 1) & (x < W - 1) & (y > 0), (y > 1) & (y < H - 1) & (x > 0)
    if inner:
        x_inside = y_inside = (x > 0) & (x < W - 1) & (y > 0) & (y < H - 1)
    return difference.sign() * (difference.abs() > 0) * 0.25 * torch.stack((x_inside, y_inside), -1)


def plain_dark(maps, x, y, kernel):
    """The offsets, and which of them depend on the last bit of the blur."""
    (H, W), blur = maps.shape[-2:], blur_matrix_5(kernel).to(maps)
    blurred = blur @ plain_windows(maps, x, y, kernel // 2 + 2) @ blur.T
    w = blurred.clamp(min=1e-10).log()
    dx, dy = 0.5 * (w[..., 2, 3] - w[..., 2, 1]), 0.5 * (w[..., 3, 2] - w[..., 1, 2])
    dxx = 0.25 * (w[..., 2, 4] - 2 * w[..., 2, 2] + w[..., 2, 0])
    dyy = 0.25 * (w[..., 4, 2] - 2 * w[..., 2, 2] + w[..., 0, 2])
    dxy = 0.25 * (w[..., 3, 3] - w[..., 1, 3] - w[..., 3, 1] + w[..., 1, 1])
    det = dxx * dyy - dxy**2
    inside = (x > 1) & (x < W - 2) & (y > 1) & (y < H - 2)
    offsets = torch.stack((dxy * dy - dyy * dx, dxy * dx - dxx * dy), -1) / torch.where(det != 0, det, 1)[..., None]
    flat = det.abs() < 0.02 * (dxx.abs() + dyy.abs() + dxy.abs())
    return offsets * inside[..., None], inside & (flat | (blurred.flatten(-2).amin(-1) < 1e-6))


def plain_decode(codec, maps, size):
    """Points, scores, and which points depend on the last bit of a blur."""
    H, W = maps.shape[-2:]
    scores, index = maps.flatten(-2).max(-1)
    x, y = index % W, index // W
    offsets, unclear = torch.zeros(*x.shape, 2), torch.zeros(x.shape, dtype=torch.bool)
    if codec.refine == 'dark':
        offsets, unclear = plain_dark(maps, x, y, codec.kernel)
    elif codec.refine:
        offsets = plain_quarter(maps, x, y, isinstance(codec, HRNetInteger))
    cells = torch.where((scores > 0)[..., None], torch.stack((x, y), -1) + offsets, -1.0)
    return codec.pixels(cells, (W, H), size), scores, unclear


def noisy_maps(seed=0, side=64):
    """Maps of points inside and outside of the grid, with noise, some of it larger than the peak."""
    generator = torch.Generator().manual_seed(seed)
    points = torch.rand(2, 98, 2, generator=generator) * 5 * side - side / 2
    maps = Heatmap().encode(points, torch.ones(2, 98), torch.zeros(2, 98, side, side), 4 * side)[0]
    amplitude = torch.rand(2, 98, 1, 1, generator=generator) ** 4
    return maps + amplitude * torch.rand(maps.shape, generator=generator)


def special_maps():
    """Ties, flat and empty maps, peaks in each corner and edge, NaN and infinities."""
    maps = noisy_maps(1)
    maps[0, 0], maps[0, 1], maps[0, 2], maps[0, 3] = 0.0, -1.0, 2.0, -torch.inf
    maps[0, 4, 10, 10] = maps[0, 4, 10, 40] = maps[0, 4, 50, 3] = 7.0
    maps[0, 5, 20, 20] = torch.nan
    maps[0, 6, 20, 20], maps[0, 6, 20, 21] = torch.inf, torch.inf
    maps[0, 7, 20, 20], maps[0, 7, 20, 22] = torch.inf, -torch.inf
    maps[0, 8, 20, 20], maps[0, 8, 30, 20] = torch.inf, torch.nan
    maps[0, 9] = torch.nan
    for i, (row, column) in enumerate((r, c) for r in (0, 1, 2, 31, 61, 62, 63) for c in (0, 1, 2, 31, 61, 62, 63)):
        maps[1, i, row, column] = 3.0
    return maps


LAYOUTS = {
    'contiguous': lambda maps: maps,
    'channels last': lambda maps: maps.to(memory_format=torch.channels_last),
    'without the last channel': lambda maps: torch.cat((maps, maps[:, :1]), 1)[:, :-1],
    'channels last without the last channel': lambda maps: torch.cat((maps, maps[:, :1]), 1).to(
        memory_format=torch.channels_last
    )[:, :-1],
    'a part of a wider map': lambda maps: F.pad(maps, (3, 2, 1, 4), value=torch.nan)[..., 1:-4, 3:-2],
}


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('name', FORMS)
def test_points_and_scores_are_those_of_the_plain_form(name, layout):
    for maps in (noisy_maps(), special_maps()):
        codec = FORMS[name]
        actual, scores = codec.decode(LAYOUTS[layout](maps), 256)
        expected, plain_scores, unclear = plain_decode(codec, maps, 256)
        assert torch.equal(scores.nan_to_num(-7), plain_scores.nan_to_num(-7))
        clear = ~unclear
        assert torch.equal(actual[clear].nan_to_num(1e9), expected[clear].nan_to_num(1e9))
        assert clear.float().mean() > 0.5 or codec.refine != 'dark'


@pytest.mark.parametrize(('unbiased', 'kernel'), [(False, 11), (True, 11), (True, 5), (True, 17)])
def test_noisy_maps_decode_as_the_loops_of_mmpose_do(unbiased, kernel):
    """All points within a unit of the last place of float32, the maps without a clear maximum among them."""
    codec = Heatmap(refine='dark' if unbiased else 'quarter', aligned=False, kernel=kernel)
    maps = noisy_maps(2)
    actual, scores = codec.decode(maps, 256)
    decoded = [PlainHeatmap(256, (64, 64), unbiased=unbiased, kernel=kernel).decode(face) for face in maps.numpy()]
    expected = np.concatenate([points for points, _ in decoded])
    assert np.array_equal(scores.numpy(), np.concatenate([scores for _, scores in decoded]))
    inside = np.abs(expected).max(-1) < 512
    assert np.abs(actual.numpy() - expected)[inside].max() <= (6.2e-5 if unbiased else 0) and inside.mean() > 0.9


def udp_by_loops(maps, kernel):
    """DARK as in UDP, one map at a time, with a blur in single precision."""
    border, cells = kernel // 2, []
    for one in maps.numpy():
        y, x = np.unravel_index(one.argmax(), one.shape)
        blur = cv2.GaussianBlur(np.pad(one, border), (kernel, kernel), 0)[border:-border, border:-border]
        blur = np.log(np.clip(blur * (one.max() / blur.max()), np.float32(1e-3), np.float32(50)))
        w = np.pad(blur, 1, 'edge')[y : y + 3, x : x + 3].reshape(1, 9)
        above_left, above, _, left, middle, right, _, below, below_right = w.T
        dxy = np.float32(0.5) * (below_right - right - below + middle + middle - left - above + above_left)
        dxx, dyy = right - 2 * middle + left, below - 2 * middle + above
        hessian = np.array([[dxx[0], dxy[0]], [dxy[0], dyy[0]]]) + np.finfo(np.float32).eps * np.eye(2)
        gradient = np.float32(0.5) * np.array([right[0] - left[0], below[0] - above[0]])
        cells.append([x, y] - np.linalg.inv(hessian) @ gradient)
    return np.array(cells)


@pytest.mark.parametrize('kernel', [11, 17])
def test_udp_is_that_of_a_loop(kernel):
    maps = noisy_maps(3)[:1]
    actual = UDP(kernel=kernel).decode(maps, 256)[0][0].numpy() / (255 / 63)
    expected = udp_by_loops(maps[0], kernel)
    assert (np.abs(actual - expected) / np.maximum(1, np.abs(expected) / 64)).max() < 1e-5


@pytest.mark.parametrize('name', FORMS)
def test_maps_of_one_cell_and_empty_batches(name):
    codec = FORMS[name]
    points, scores = codec.decode(torch.full((2, 3, 1, 1), 0.5), 8)
    assert torch.equal(points, codec.pixels(torch.zeros(2, 3, 2), (1, 1), 8)) and (scores == 0.5).all()
    points, scores = codec.decode(torch.zeros(0, 98, 64, 64), 256)
    assert points.shape == (0, 98, 2) and scores.shape == (0, 98)
    narrow, _ = codec.decode(noisy_maps()[..., :3], 256)
    assert narrow.shape == (2, 98, 2) and narrow.isfinite().all()


def test_decoding_half_precision_is_decoding_its_values():
    maps = noisy_maps().bfloat16()
    for codec in FORMS.values():
        assert torch.equal(codec.decode(maps, 256)[0], codec.decode(maps.float(), 256)[0])


def test_mixed_precision_does_not_round_the_blur():
    maps, codec = noisy_maps(), FORMS['DARK']
    with torch.autocast('cpu', torch.bfloat16):
        points = codec.decode(maps, 256)[0]
    assert torch.equal(points, codec.decode(maps, 256)[0])


def test_scores_have_gradients():
    maps = noisy_maps().requires_grad_()
    Heatmap().decode(maps, 256)[1].sum().backward()
    assert maps.grad is not None and torch.equal(maps.grad.sum((-2, -1)), torch.ones(2, 98))


def test_values_beyond_the_first_two_dimensions():
    maps = noisy_maps()
    _, x, y = highest_cells(maps)
    for layout in LAYOUTS.values():
        actual = values_at(layout(maps), x[..., None, None], y[..., None, None])
        assert torch.equal(actual[..., 0, 0], maps.amax((-2, -1)))


CODECS = {
    **FORMS,
    'UDP': UDP(),
    'UDP combined': UDPCombined(),
    'Megvii': Megvii(),
    'boundary': Boundary('wflw'),
    'integral': Integral(),
    'coordinates': Coordinates(),
    'SimCC': SimCC(),
    'SimCC with DARK': SimCC(refine='dark'),
}


class NoTransfers(TorchDispatchMode):
    """Refuse operations that copy from or to a device; 'meta' tensors have no values to wait for."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        devices = {value.device.type for value in (*args, result) if isinstance(value, torch.Tensor)}
        assert len(devices) < 2, function
        return result


def output_of(codec, device):
    if isinstance(codec, SimCC):
        return torch.zeros(2, 98, 2, 512, device=device)
    if isinstance(codec, Coordinates):
        return torch.zeros(2, 98, 2, device=device)
    return torch.zeros(2, codec.channels(98, 256), 64, 64, device=device)


@pytest.mark.parametrize('name', CODECS)
def test_a_step_on_a_device_reads_nothing_from_it_and_copies_nothing_to_it(name):
    """Tensors without values are used in place of a device's: code that asks for a value fails."""
    codec, mirror = CODECS[name], torch.zeros(98, dtype=torch.long, device='meta')
    points, visible, warp = (torch.zeros(2, *shape, device='meta') for shape in ((98, 2), (98,), (3, 3)))
    output = output_of(codec, 'meta')

    def step():
        if name != 'boundary':  # the number of pieces of its curves depends on the points
            codec.encode(points, visible, output, 256)
        codec.to_photo(codec.decode(codec.flip(output, mirror, 256), 256)[0], warp)
        codec.spread(output, 256)

    step()  # constants are copied once
    with NoTransfers():
        step()
