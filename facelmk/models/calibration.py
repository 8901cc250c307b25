"""From the spread of a point's map to its expected error in pixels, fitted on held-back faces."""

import torch
from torch import Tensor, nn

from ..markups import MARKUPS
from ..registry import CALIBRATIONS, Ranges

MIN_SPREAD = 1e-3  # squared pixels; a map may be a single cell


@CALIBRATIONS.register_module()
class ErrorCalibration(nn.Module):
    """The expected error of each landmark, and one score for each face.

    expected error = scale * spread ** power, with a scale and a power for each landmark; the spread is the root of the
    mean variance of the point's map along x and y.
    score = sigmoid(face[0] + face[1] * log(mean expected error / side of the crop)): the probability that the mean
    error of the face is below `threshold` times the distance of the outer eye corners.

    The three buffers belong to a checkpoint. They are zero until `facelmk calibrate fit` fits them. Training sets them
    to zero again.
    """

    ranges: Ranges = {'threshold': (0.001, 1)}
    scale: Tensor
    power: Tensor
    face: Tensor

    def __init__(self, markup: str, threshold: float = 0.08) -> None:
        super().__init__()
        K = MARKUPS[markup].size
        self.threshold = threshold
        self.register_buffer('scale', torch.zeros(K))
        self.register_buffer('power', torch.zeros(K))
        self.register_buffer('face', torch.zeros(2))
        self.fitted = False
        self.register_load_state_dict_post_hook(_update_fitted)

    def update_fitted(self) -> None:
        """Set `fitted`, a plain bool, from the buffers: a traced graph cannot ask for their values."""
        self.fitted = bool((self.scale > 0).all())

    def set(self, scale: Tensor, power: Tensor, face: Tensor) -> None:
        """Fill the buffers with fitted values."""
        self.load_state_dict(dict(scale=scale, power=power, face=face))

    def forward(self, spread: Tensor) -> Tensor:
        """The expected error (B, K) in crop pixels of points with these covariances (B, K, 2, 2)."""
        return self.expected(deviation(spread))

    def expected(self, deviations: Tensor) -> Tensor:
        """The expected error (B, K) in crop pixels of points whose maps have these deviations (B, K)."""
        return self.scale * deviations**self.power

    def face_scores(self, errors: Tensor, size: int) -> Tensor:
        """The score (B,) of faces with expected errors (B, K) in pixels of a crop of this side."""
        return torch.sigmoid(self.face[0] + self.face[1] * torch.log(errors.mean(-1) / size))


def _update_fitted(module: ErrorCalibration, _: object) -> None:
    module.update_fitted()  # a function of its own, because a lambda cannot be pickled


def deviation(spread: Tensor) -> Tensor:
    """The root (B, K) of the mean variance along x and y, from covariances (B, K, 2, 2)."""
    return ((spread[..., 0, 0] + spread[..., 1, 1]) / 2).clamp(min=MIN_SPREAD).sqrt()
