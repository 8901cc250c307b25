"""One picture and one box, as `mmpose.apis.inference_topdown` handles it: crop, batch, two forward passes, decoding."""

from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from ...models import FaceLandmarker
from .codec import maxima, refine_by_quarter

PADDING = 1.25


class TopdownInference:
    """MMPose's steps for a network with heatmaps that are a quarter of its crops, with flip test and quarter shift."""

    def __init__(self, network: FaceLandmarker, size: int = 256) -> None:
        self.network, self.size, self.mirror = network.eval(), size, network.markup.mirror.tolist()
        preprocessor = network.data_preprocessor
        self.mean, self.std = preprocessor.mean.view(3, 1, 1), preprocessor.std.view(3, 1, 1)

    @torch.no_grad()
    def __call__(self, image: NDArray[np.uint8], box: NDArray) -> NDArray[np.float32]:
        """Return the landmarks (K, 2) in pixels of the picture."""
        x1, y1, x2, y2 = np.asarray(box, np.float32)
        centre, side = np.array([(x1 + x2) / 2, (y1 + y2) / 2]), max(x2 - x1, y2 - y1) * PADDING
        crop = cv2.warpAffine(image, _warp(centre, side, self.size), (self.size, self.size), flags=cv2.INTER_LINEAR)
        batch = [torch.from_numpy(np.ascontiguousarray(crop.transpose(2, 0, 1)))]
        inputs = torch.stack([(one[[2, 1, 0]].float() - self.mean) / self.std for one in batch])
        maps = (self._maps(inputs) + self._flipped(inputs)) * 0.5
        points = decode(maps[0].cpu().numpy()) * (self.size / maps.shape[-1])
        return (points / self.size * side + centre - 0.5 * side).astype(np.float32)

    def _maps(self, inputs: torch.Tensor) -> torch.Tensor:
        maps: Any = self.network(inputs)[-1]
        return torch.as_tensor(maps)

    def _flipped(self, inputs: torch.Tensor) -> torch.Tensor:
        maps = self._maps(inputs.flip(-1)).flip(-1)[:, self.mirror]
        maps[..., 1:] = maps[..., :-1].clone()
        return maps


def _warp(centre: NDArray, side: float, size: int) -> NDArray:
    """Return the affine map (2, 3) of three points, as MMPose's `get_warp_matrix` finds it."""
    source = np.array([centre, centre + [0, -side / 2], centre + [-side / 2, -side / 2]], np.float32)
    target = np.array([[size / 2, size / 2], [size / 2, 0], [0, 0]], np.float32)
    return cv2.getAffineTransform(source, target)


def decode(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cells (K, 2) of the maxima of maps (K, H, W), a quarter of a cell towards the larger neighbour."""
    cells, _ = maxima(maps)
    return refine_by_quarter(cells[None], maps, 0)[0]
