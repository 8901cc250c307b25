"""FaceDetector finds the boxes of all faces in a scene: output = head(backbone(image))."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ..codecs import BoxMaps
from ..registry import BACKBONES, CODECS, HEADS, LOSSES, MODELS
from .crop_network import CropNetwork
from .fit import build_part, check_detector_fit


@MODELS.register_module()
class FaceDetector(CropNetwork):
    """Predict the boxes of all faces in scenes (B, 3, H, W), whose sides are multiples of the backbone's.

    `mean` and `std` normalise RGB pixels. `size` is the side of the scenes in training.
    """

    training_keys = ('crop_boxes', 'ignored')
    test_keys = ('warp',)

    def __init__(
        self,
        backbone: dict,
        head: dict,
        codec: dict,
        loss: dict,
        mean: Sequence[float] = (123.675, 116.28, 103.53),
        std: Sequence[float] = (58.395, 57.12, 57.375),
        size: int = 192,
    ) -> None:
        super().__init__(mean, std)
        self.codec: BoxMaps = build_part(CODECS, codec)
        self.backbone = build_part(BACKBONES, backbone, size=size)
        self.head = build_part(
            HEADS, head, in_channels=self.backbone.out_channels, out_channels=self.codec.channels(), size=size
        )
        self.box_loss = LOSSES.build(loss)

    @classmethod
    def check_arguments(cls, values: Mapping[str, Any]) -> None:
        """Refuse parts that do not fit together, before they are built."""
        check_detector_fit(values)

    def loss(self, inputs: Tensor, data_samples: dict[str, Any]) -> dict[str, Tensor]:
        """The loss of the last stage, by its name."""
        output = self(inputs)[-1].float()
        target, weight = self.codec.encode(
            data_samples['crop_boxes'], data_samples['ignored'], output, inputs.shape[-1]
        )
        return {'loss_boxes': self.box_loss(output, target, weight)}

    def predict(self, inputs: Tensor, data_samples: dict[str, Any]) -> list[dict[str, Any]]:
        """The id of each scene, its boxes (M, 4) in pixels of the photograph, and their scores (M,), best first."""
        found = self.codec.decode(self(inputs)[-1], inputs.shape[-1])
        return [
            dict(id=scene_id, boxes=boxes_to_photo(boxes, warp).cpu(), scores=scores.cpu())
            for scene_id, (boxes, scores), warp in zip(data_samples['id'], found, data_samples['warp'], strict=True)
        ]


def is_face_detector(model: Mapping[str, Any]) -> bool:
    """Whether the `model` of a config is a FaceDetector."""
    kind = model.get('type')
    kind = MODELS.get(kind) if isinstance(kind, str) else kind
    return isinstance(kind, type) and issubclass(kind, FaceDetector)


def boxes_to_photo(boxes: Tensor, warp: Tensor) -> Tensor:
    """Map boxes (M, 4) from the pixels of a crop to those of the photograph, by the inverse of its warp (3, 3)."""
    inverse = torch.linalg.inv(warp.double()).to(boxes.device)
    x1, y1, x2, y2 = boxes.double().unbind(-1)
    corners = torch.stack((x1, y1, x2, y1, x2, y2, x1, y2), -1).view(-1, 4, 2)
    mapped = corners @ inverse[:2, :2].mT + inverse[:2, 2]
    return torch.cat((mapped.amin(1), mapped.amax(1)), -1).float()
