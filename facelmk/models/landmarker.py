"""FaceLandmarker, where backbone, head, codec and losses meet: output = head(backbone(image))."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..codecs import Codec
from ..errors import FacelmkError
from ..markups import MARKUPS
from ..registry import BACKBONES, CALIBRATIONS, CODECS, HEADS, LOSSES, MODELS
from .calibration import ErrorCalibration
from .crop_network import CropNetwork, Stages
from .fit import build_part, check_fit, terms

CPU_BATCH = 8  # crops: HRNet-W18 then takes 1.25 times as long in one pass of twice as many (facelmk bench step)


class LossTerm(nn.Module):
    """One term of the total loss: a loss, its weight, and the codec that encodes its target.

    Without `weigh_points`, points outside of the crop and invisible points count like all others.
    """

    def __init__(self, loss: dict, weight: float, codec: Codec, weigh_points: bool = True) -> None:
        super().__init__()
        self.loss, self.weight, self.codec, self.weigh_points = LOSSES.build(loss), weight, codec, weigh_points

    def forward(self, stages: Stages, points: Tensor, visible: Tensor, size: int) -> Tensor:
        """The weighted sum over the stages."""
        target, weight = self.codec.encode(points, visible, stages[-1], size)
        if target.shape != stages[-1].shape:
            raise FacelmkError(
                f'The codec {type(self.codec).__name__} encodes targets of shape {tuple(target.shape[1:])}, the head '
                f'makes outputs of shape {tuple(stages[-1].shape[1:])}. Expected the same. Choose a head and a codec '
                'that fit'
            )
        of_points = weight if self.weigh_points else None
        return self.weight * sum(self.loss(stage, target, of_points) for stage in stages)


@MODELS.register_module()
class FaceLandmarker(CropNetwork):
    """Predict landmarks from face crops.

    `loss` is one loss, or a list of terms dict(loss=..., weight=1., target=<codec>, weigh_points=True), each with its
    own target.
    `flip_test` averages the outputs of the crop and of the mirrored crop. `mean` and `std` normalise RGB pixels.
    `size` is the side of the crop, for parts whose layers depend on it. `calibration` turns the spread of the codec's
    maps into expected errors and a score for each face.
    """

    training_keys = ('points', 'visible')
    test_keys = ('warp',)

    def __init__(
        self,
        backbone: dict,
        head: dict,
        codec: dict,
        loss: dict | Sequence[dict],
        markup: str = 'wflw',
        flip_test: bool = False,
        mean: Sequence[float] = (123.675, 116.28, 103.53),
        std: Sequence[float] = (58.395, 57.12, 57.375),
        size: int = 256,
        calibration: dict | None = None,
    ) -> None:
        super().__init__(mean, std)
        self.markup = MARKUPS[markup]
        self.codec: Codec = build_part(CODECS, codec, markup=markup)
        channels = self.codec.channels(self.markup.size, size)
        self.backbone = build_part(BACKBONES, backbone, maps=channels, size=size)
        self.head = build_part(
            HEADS,
            head,
            in_channels=self.backbone.out_channels,
            out_channels=channels,
            size=size,
            bins=self.codec.bins(size),
        )
        self.terms = nn.ModuleDict(self._terms(loss))
        self.flip_test = flip_test
        self.calibration: ErrorCalibration | None = (
            None if calibration is None else build_part(CALIBRATIONS, calibration, markup=markup)
        )
        self.register_buffer('mirror', torch.from_numpy(self.markup.mirror), persistent=False)

    def _terms(self, loss: dict | Sequence[dict]) -> dict[str, LossTerm]:
        named: dict[str, LossTerm] = {}
        for _, term in terms(loss):
            codec = build_part(CODECS, term['target'], markup=self.markup.name) if 'target' in term else self.codec
            name = 'loss_' + term['loss']['type'].rpartition('.')[2].removesuffix('Loss').lower()
            name = name if name not in named else f'{name}{len(named)}'
            named[name] = LossTerm(term['loss'], term.get('weight', 1.0), codec, term.get('weigh_points', True))
        return named

    @classmethod
    def check_arguments(cls, values: Mapping[str, Any]) -> None:
        """Refuse parts that do not fit together, before they are built."""
        check_fit(values)

    def loss(self, inputs: Tensor, data_samples: dict[str, Any]) -> dict[str, Tensor]:
        """Each term of the loss by name."""
        stages = [stage.float() for stage in self(inputs)]
        points, visible = data_samples['points'], data_samples['visible']
        return {name: term(stages, points, visible, inputs.shape[-1]) for name, term in self.terms.items()}

    def output(self, inputs: Tensor) -> Tensor:
        """The last stage; with `flip_test`, its mean with the flipped-back output of the mirrored crop."""
        if not self.flip_test:
            return self(inputs)[-1].float()
        direct, mirrored = self._both(inputs)
        return (direct + self.codec.flip(mirrored, self.mirror, inputs.shape[-1])) / 2

    def _both(self, inputs: Tensor) -> Sequence[Tensor]:
        """The last stage for the crops, and for the mirrored crops.

        One pass for both starts fewer operations. But a CPU computes two passes faster once the batch fills it: the
        tensors of one layer then stay in its caches.
        """
        tracing = torch.compiler.is_compiling() or torch.jit.is_tracing()  # the size of exported batches is not fixed
        if inputs.device.type == 'cpu' and not tracing and len(inputs) >= CPU_BATCH:
            return [self(crops)[-1].float() for crops in (inputs, inputs.flip(-1))]
        both = self(torch.cat((inputs, inputs.flip(-1))))[-1].float()
        return both.unflatten(0, (2, -1)).unbind(0)  # chunk(2) would fix the size of exported batches

    def answer(self, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Points (B, K, 2), scores (B, K) and expected errors (B, K), in pixels of the normalised crops (B, 3, S, S).

        Without a fitted calibration, the errors are None. `torch.export` can trace it.
        """
        output, size = self.output(inputs), inputs.shape[-1]
        points, scores = self.codec.decode(output, size)[:2]
        if self.calibration is None or not self.calibration.fitted:
            return points, scores, None
        return points, scores, self.calibration(self.codec.spread(output, size))

    def face_scores(self, errors: Tensor, size: int) -> Tensor:
        """The score (B,), from 0 to 1, of faces with expected errors (B, K) in pixels of crops of this side."""
        if self.calibration is None:
            raise FacelmkError('this model has no calibration, so its faces have no score. Set model.calibration')
        return self.calibration.face_scores(errors, size)

    def predict(self, inputs: Tensor, data_samples: dict[str, Any]) -> list[dict[str, Any]]:
        """The id of each face, its landmarks (K, 2) in pixels of the photograph, and its scores (K,).

        With a fitted calibration also its `errors` (K,), expected ones in pixels of the photograph, and its `score`.
        """
        points, scores, errors = self.answer(inputs)
        warp = data_samples['warp']
        columns = dict(landmarks=self.codec.to_photo(points, warp), scores=scores)
        if errors is not None:
            columns['errors'] = errors / scale_of(warp)[:, None]
            columns['score'] = self.face_scores(errors, inputs.shape[-1])
        columns = read_together(columns)
        return [
            dict(id=face_id, **{name: column[i] for name, column in columns.items()})
            for i, face_id in enumerate(data_samples['id'])
        ]


def read_together(columns: dict[str, Tensor]) -> dict[str, Tensor]:
    """Copy columns of numbers (B, ...) from their device into memory, in one transfer."""
    parts = [column.reshape(len(column), math.prod(column.shape[1:])) for column in columns.values()]
    copied = torch.cat(parts, 1).cpu().split([part.shape[1] for part in parts], 1)
    return {
        name: part.reshape(column.shape).to(column.dtype)
        for (name, column), part in zip(columns.items(), copied, strict=True)
    }


def scale_of(warp: Tensor) -> Tensor:
    """How many pixels of the crop a pixel of the photograph is, (B,), from warps (B, 3, 3)."""
    (a, b), (c, d) = (row.unbind(-1) for row in warp.double()[:, :2, :2].unbind(-2))
    return (a * d - b * c).abs().sqrt().float()
