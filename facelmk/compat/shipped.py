"""The network that comes with facelmk, for the functions of HRNet-landmarks: heatmaps as theirs, and exact points."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import FacelmkError
from ..inference import load
from ..markups import MAPS
from ..zoo import DEFAULT, find_model

STRIDE, SIGMA = 4, 1.5  # of the original's heatmaps: pixels of the crop for a cell; cells


def has_shipped_points(markup: str) -> bool:
    """Whether the network that comes with facelmk has the points of a landmark scheme."""
    return (find_model(DEFAULT).markup, markup) in MAPS


class ShippedNet(nn.Module):
    """Normalised RGB crops (B, 3, S, S) to heatmaps (B, K, S / 4, S / 4), drawn around the points of our network."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        predictor = load(DEFAULT, device='cpu')
        self.landmarker, self.size = predictor.landmarker, predictor.config.model.size
        weights = MAPS[self.landmarker.markup.name, markup]
        if any(len(of_point) != 1 for of_point in weights.values()):
            raise FacelmkError(f'{DEFAULT} has no points of {markup!r} of its own')
        self.rows = [next(iter(weights[k])) for k in range(len(weights))]

    @torch.no_grad()
    def points(self, image: Tensor) -> Tensor:
        """Points (B, K, 2) in pixels of the crops; a pixel's coordinates are those of its centre."""
        small = F.interpolate(image, (self.size, self.size), mode='bilinear', antialias=True)
        points = self.landmarker.codec.decode(self.landmarker.output(small), self.size)[0][:, self.rows]
        return (points + 0.5) * points.new_tensor([image.shape[-1], image.shape[-2]]) / self.size - 0.5

    def forward(self, image: Tensor) -> Tensor:
        """The original counts cells from their corner, so a point lies half a cell before it."""
        height, width = (side // STRIDE for side in image.shape[-2:])
        x, y = (self.points(image) / STRIDE - 0.5).unbind(-1)
        columns, rows = (torch.arange(length, device=image.device) for length in (width, height))
        across, down = (
            torch.exp(-((cells - centre[..., None]) ** 2) / (2 * SIGMA**2))
            for cells, centre in ((columns, x), (rows, y))
        )
        return down[..., :, None] * across[..., None, :]
