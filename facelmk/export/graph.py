"""Models as one graph each: from uint8 crops to points, with normalisation, flip average and decoding inside."""

import copy

import torch
from torch import Tensor, nn

from ..models import FaceDetector, FaceLandmarker

LANDMARKS = ('points', 'scores', 'errors', 'face_scores')  # the last two with a fitted calibration
BOXES = ('boxes', 'scores')


class Affine(nn.Module):
    """A BatchNorm in evaluation mode as one multiplication and one addition.

    The convolution before it keeps its own weights, so a file holds the numbers of the checkpoint. A runtime folds the
    two operations into the convolution when it loads the file.
    """

    def __init__(self, norm: nn.modules.batchnorm._BatchNorm) -> None:
        super().__init__()
        self.factor: Tensor
        self.offset: Tensor
        shape = (-1, *[1] * (2 if isinstance(norm, nn.BatchNorm2d) else 0))
        mean, variance = norm.running_mean, norm.running_var
        assert mean is not None and variance is not None
        weight, bias = (
            (torch.ones_like(mean), torch.zeros_like(mean)) if norm.weight is None else (norm.weight, norm.bias)
        )
        factor = (variance.double() + norm.eps).rsqrt() * weight.double()
        offset = bias.double() - mean.double() * factor
        self.register_buffer('factor', factor.detach().float().view(shape))
        self.register_buffer('offset', offset.detach().float().view(shape))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor + self.offset


def without_norms(module: nn.Module) -> nn.Module:
    """Return a copy for inference with an `Affine` in place of each BatchNorm."""
    module = copy.deepcopy(module).eval().requires_grad_(False)
    for name, child in list(module.named_modules()):
        if isinstance(child, (nn.BatchNorm2d, nn.BatchNorm1d)):
            parent, _, attribute = name.rpartition('.')
            setattr(module.get_submodule(parent), attribute, Affine(child))
    return module


class Graph(nn.Module):
    """Crops (B, 3, H, W), uint8 BGR, normalised as the model's own preprocessor does."""

    names: tuple[str, ...] = ()
    order: Tensor
    mean: Tensor
    std: Tensor

    def __init__(self, model: FaceLandmarker | FaceDetector) -> None:
        super().__init__()
        self.model = without_norms(model)
        self.register_buffer('order', torch.tensor([2, 1, 0]))
        self.register_buffer('mean', model.data_preprocessor.mean.clone().float())
        self.register_buffer('std', model.data_preprocessor.std.clone().float())

    def normalise(self, crops: Tensor) -> Tensor:
        """Return RGB crops, minus `mean`, divided by `std`."""
        return (crops.index_select(1, self.order).float() - self.mean) / self.std


class LandmarkGraph(Graph):
    """Points (B, K, 2) in crop pixels, scores (B, K); with a fitted calibration errors (B, K) and face_scores (B,)."""

    def __init__(self, landmarker: FaceLandmarker) -> None:
        super().__init__(landmarker)
        calibration = landmarker.calibration
        self.names = LANDMARKS[: 4 if calibration is not None and calibration.fitted else 2]

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        model = self.model
        points, scores, errors = model.answer(self.normalise(crops))  # type: ignore[operator]
        if errors is None:
            return points, scores
        return points, scores, errors, model.face_scores(errors, crops.shape[-1])  # type: ignore[operator]


class BoxGraph(Graph):
    """The box x1, y1, x2, y2 of each cell (B, N, 4) in pixels, and its score (B, N), which is 0 beside the peaks."""

    names = BOXES

    def forward(self, scenes: Tensor) -> tuple[Tensor, ...]:
        output = self.model(self.normalise(scenes))[-1].float()
        heat, boxes = self.model.codec.peaks(output), self.model.codec.boxes(output)  # type: ignore[union-attr,operator]
        return boxes.flatten(2).mT, heat.flatten(1)


def graph_of(model: nn.Module) -> Graph:
    """Return the graph of a FaceLandmarker or a FaceDetector."""
    return (BoxGraph(model) if isinstance(model, FaceDetector) else LandmarkGraph(model)).eval()  # type: ignore[arg-type]
