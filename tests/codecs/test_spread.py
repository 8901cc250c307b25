"""The spread of a point's map: its covariance in crop pixels, against closed forms."""

import math

import pytest
import torch

from facelmk.codecs import UDP, Boundary, Heatmap, Integral, UDPCombined
from facelmk.registry import CODECS

SIZE, CELLS = 256, 64


def gaussian(cx: float, cy: float, covariance: list[list[float]]) -> torch.Tensor:
    """The logarithm of a Gaussian (1, 1, 64, 64) with a covariance in squared cells."""
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing='ij')
    offset = torch.stack((x - cx, y - cy), -1)
    return -0.5 * (offset @ torch.linalg.inv(torch.tensor(covariance)) * offset).sum(-1)[None, None]


@pytest.mark.parametrize('covariance', [[[4.0, 0.0], [0.0, 4.0]], [[9.0, 3.0], [3.0, 4.0]], [[2.0, -1.0], [-1.0, 6.0]]])
def test_a_gaussian_of_probabilities_has_its_own_covariance(covariance) -> None:
    actual = Integral().spread(gaussian(30.3, 33.8, covariance), SIZE)
    expected = torch.tensor(covariance) * (SIZE / CELLS) ** 2
    assert actual.shape == (1, 1, 2, 2)
    assert torch.allclose(actual[0, 0], expected, rtol=1e-3, atol=0.02)


def test_the_spread_does_not_depend_on_the_place_and_mirrors_with_the_map() -> None:
    covariance = [[5.0, 2.0], [2.0, 3.0]]
    first, second = (Integral().spread(gaussian(x, y, covariance), SIZE) for x, y in ((25.0, 31.5), (40.2, 28.1)))
    assert torch.allclose(first, second, rtol=1e-3, atol=0.02)
    mirrored = Integral().spread(gaussian(25.0, 31.5, covariance).flip(-1), SIZE)
    assert torch.allclose(mirrored, first * torch.tensor([[1.0, -1.0], [-1.0, 1.0]]), rtol=1e-3, atol=0.02)


@pytest.mark.parametrize('sigma', [1.5, 2.0, 4.0])
@pytest.mark.parametrize('codec', [Heatmap, UDP])
def test_a_heatmap_of_sigma_cells_has_the_variance_of_its_gaussian(codec, sigma) -> None:
    part, points = codec(sigma=sigma), torch.tensor([[[120.4, 133.7]]])
    target, _ = Heatmap(sigma=sigma).encode(points, torch.ones(1, 1), torch.zeros(1, 1, CELLS, CELLS), SIZE)
    stride = (SIZE - 1) / (CELLS - 1) if codec is UDP else SIZE / CELLS
    variance = part.spread(target, SIZE)[0, 0]
    assert variance.diagonal().tolist() == pytest.approx([(sigma * stride) ** 2] * 2, rel=0.05)
    assert abs(variance[0, 1]) < 0.01 * variance[0, 0]


def test_the_height_of_a_heatmap_and_its_noise_hardly_matter() -> None:
    codec, points = Heatmap(), torch.tensor([[[120.0, 130.0]]])
    target, _ = codec.encode(points, torch.ones(1, 1), torch.zeros(1, 1, CELLS, CELLS), SIZE)
    exact = codec.spread(target, SIZE)
    assert torch.allclose(codec.spread(target * 0.3, SIZE), exact, rtol=1e-4, atol=1e-3)
    noise = 0.03 * torch.randn(target.shape, generator=torch.Generator().manual_seed(0))
    noisy = codec.spread(target + noise, SIZE)
    assert torch.allclose(noisy.diagonal(dim1=-2, dim2=-1), exact.diagonal(dim1=-2, dim2=-1), rtol=0.1)


def test_two_peaks_are_half_their_distance_apart_from_the_middle() -> None:
    output = torch.full((1, 1, CELLS, CELLS), -40.0)
    output[..., 30, 20] = output[..., 30, 40] = 0.0
    spread = Integral().spread(output, SIZE)[0, 0]
    assert spread.flatten().tolist() == pytest.approx([(10 * SIZE / CELLS) ** 2, 0, 0, 0], abs=0.01)


def test_an_empty_map_is_as_uncertain_as_an_even_one() -> None:
    for maps in (torch.zeros(1, 1, CELLS, CELLS), torch.full((1, 1, CELLS, CELLS), -0.2)):
        spread = Heatmap().spread(maps, SIZE)[0, 0]
        assert torch.isfinite(spread).all() and math.sqrt(spread[0, 0]) > SIZE / math.sqrt(12) * 0.99


def test_the_boundary_map_is_left_out() -> None:
    maps = torch.rand(1, 99, 16, 16, generator=torch.Generator().manual_seed(1))
    assert torch.equal(Boundary('wflw').spread(maps, 64), Heatmap().spread(maps[:, :98], 64))


@pytest.mark.parametrize('name', list(CODECS))
def test_a_codec_says_whether_it_has_a_spread(name) -> None:
    codec = CODECS.build(dict(type=name) | (dict(markup='wflw') if name == 'Boundary' else {}))
    K = codec.channels(98, SIZE)
    with_maps = issubclass(type(codec), (Heatmap, Integral))
    output = torch.rand(1, K, 16, 16) if with_maps else torch.rand(1, K, 2, codec.bins(SIZE) or 4)
    spread = codec.spread(output, SIZE)
    assert codec.has_spread == (spread is not None) == (with_maps and not isinstance(codec, UDPCombined))
    assert spread is None or spread.shape == (1, 98, 2, 2)
