"""The face detector that comes with facelmk: a FaceDetector that `facelmk train facelmk_detector` makes."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ...checkpoint import load_content
from ...errors import FacelmkError, MissingResource
from ...models import FaceDetector
from ...registry import DETECTORS, MODELS, Range, registered_parts_only
from ...zoo.index import FOLDER
from ..checkpoint_config import open_checkpoint
from ..forks import use_one_thread_if_forked
from .base import Boxes, BoxRule, Detector, Picture, Scores
from .pyramid import search

SHIPPED = FOLDER / 'facelmk_detector.pth'


@DETECTORS.register_module()
class FacelmkDetector(Detector):
    """Finds faces with the detector that comes with facelmk, or with one that you trained.

    `weights` is a checkpoint of a FaceDetector, which holds its config. A picture is searched at each of the `sizes`,
    its longer side in pixels: the first finds small faces, the second those that fill the picture. Larger pictures are
    reduced; only those below 192 pixels are enlarged. `score` is the lowest score; of two boxes that overlap by more
    than `overlap` (intersection over union) the better one stays, and so it does where it contains most of the other.
    """

    box_rule = BoxRule()
    endings = ('.pth',)
    ranges = {'score': (0, 1), 'overlap': (0, 1), 'sizes': Range(32, 8192, step=1)}

    def __init__(
        self,
        weights: str | Path | None = None,
        score: float = 0.48,
        overlap: float = 0.4,
        sizes: Sequence[int] = (640, 192),
        device: str | torch.device = 'cpu',
    ) -> None:
        self.network = open_network(SHIPPED if weights is None else weights).to(device)
        fuse_norms(self.network)
        self.network.codec.least_score, self.network.codec.most_overlap = score, overlap
        self.score, self.overlap, self.sizes, self.device = score, overlap, tuple(sizes), device

    def find(self, image: Picture) -> tuple[Boxes, Scores]:
        multiple = self.network.backbone.multiple
        return search(image, self.sizes, multiple, self._find_once, self.score, self.overlap)

    @torch.inference_mode()
    def _find_once(self, scene: Picture) -> tuple[Boxes, Scores]:
        """Return the boxes (N, 4) and scores (N,) of a picture whose sides the network takes."""
        use_one_thread_if_forked()
        boxes, scores = self.network.codec.decode(self.network(self._normalised(scene))[-1])[0]
        return boxes.cpu().numpy(), scores.cpu().numpy()

    def _normalised(self, image: np.ndarray) -> torch.Tensor:
        """Return what the network's own preprocessor makes of a picture, faster and in channels_last order."""
        mean, std = (part.view(3) for part in (self.network.data_preprocessor.mean, self.network.data_preprocessor.std))
        pixels = torch.from_numpy(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)).to(self.device)
        return ((pixels - mean) / std).permute(2, 0, 1)[None]


def open_network(weights: str | Path) -> FaceDetector:
    """Return the FaceDetector of a checkpoint, ready to predict; its config is read as data, so no code in it runs."""
    if weights == SHIPPED and not SHIPPED.is_file():
        raise MissingResource(
            "no face detector comes with this installation. Give detector='YuNet' or another one, the boxes of the "
            "faces, or boxes='full' where one face fills the picture"
        )
    opened = open_checkpoint(weights)
    path, config = opened.path, opened.config('Expected a checkpoint of a FaceDetector, as `facelmk train` writes it')
    with registered_parts_only():
        network = MODELS.build(config.model)
    if not isinstance(network, FaceDetector):
        raise FacelmkError(f'{path} holds a {type(network).__name__}. Expected a checkpoint of a FaceDetector')
    load_content(network, opened.content, path)
    return network.eval()


def fuse_norms(module: nn.Module) -> None:
    """Merge each BatchNorm into the convolution before it, in place; the outputs are the same, and made faster."""
    for sequence in [part for part in module.modules() if isinstance(part, nn.Sequential)]:
        for i, conv, norm in list(_pairs(sequence)):
            sequence[i], sequence[i + 1] = fuse_conv_bn_eval(conv, norm), nn.Identity()


def _pairs(sequence: nn.Sequential) -> Iterator[tuple[int, nn.Conv2d, nn.BatchNorm2d]]:
    for i, (first, second) in enumerate(zip(sequence, list(sequence)[1:], strict=False)):
        if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
            yield i, first, second
