"""FaceLandmarker, where backbone, head, codec and losses meet: output = head(backbone(image))."""

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from ..codecs import Codec
from ..errors import FacelmkError
from ..markups import MARKUPS
from ..registry import BACKBONES, CODECS, FUNCTIONS, HEADS, LOSSES, MODELS, Registry

Stages = list[Tensor]


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
        of_points = weight if self.weigh_points else None
        return self.weight * sum(self.loss(stage, target, of_points) for stage in stages)


@MODELS.register_module()
class FaceLandmarker(BaseModel):
    """Predict landmarks from face crops.

    `loss` is one loss, or a list of terms dict(loss=..., weight=1., target=<codec>, weigh_points=True), each with its
    own target.
    `flip_test` averages the outputs of the crop and of the mirrored crop. `mean` and `std` normalise RGB pixels.
    `size` is the side of the crop, for parts whose layers depend on it.
    """

    ranges = {'size': (1,)}

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
    ) -> None:
        super().__init__(dict(type='mmengine.ImgDataPreprocessor', mean=mean, std=std, bgr_to_rgb=True))
        self.markup = MARKUPS[markup]
        self.codec: Codec = _build(CODECS, codec, markup=markup)
        channels = self.codec.channels(self.markup.size, size)
        if head.get('out_channels', channels) != channels:
            raise FacelmkError(
                f'model.head.out_channels={head["out_channels"]!r}. Expected {channels}, which '
                f'{type(self.codec).__name__} needs for markup={markup!r}. Remove out_channels from the config: '
                'FaceLandmarker passes it to the head.'
            )
        self.backbone = _build(BACKBONES, backbone, maps=channels, size=size)
        self.head = _build(
            HEADS,
            head,
            in_channels=self.backbone.out_channels,
            out_channels=channels,
            size=size,
            bins=self.codec.bins(size),
        )
        self.terms = nn.ModuleDict(self._terms(loss))
        self.flip_test = flip_test
        self.register_buffer('mirror', torch.from_numpy(self.markup.mirror), persistent=False)

    def _terms(self, loss: dict | Sequence[dict]) -> dict[str, LossTerm]:
        rows: Sequence[dict[str, Any]] = [dict(loss=loss)] if isinstance(loss, dict) else loss
        terms: dict[str, LossTerm] = {}
        for row in rows:
            codec = _build(CODECS, row['target'], markup=self.markup.name) if 'target' in row else self.codec
            name = 'loss_' + row['loss']['type'].rpartition('.')[2].removesuffix('Loss').lower()
            name = name if name not in terms else f'{name}{len(terms)}'
            terms[name] = LossTerm(row['loss'], row.get('weight', 1.0), codec, row.get('weigh_points', True))
        return terms

    def init_weights(self) -> None:
        """Load the backbone's `pretrained` weights, if the config names any. The Runner calls this before training."""
        if source := getattr(self.backbone, 'pretrained', None):
            FUNCTIONS.get('load_pretrained')(self.backbone, source)

    def forward(
        self, inputs: Tensor, data_samples: dict[str, Any] | None = None, mode: str = 'tensor'
    ) -> Stages | dict[str, Tensor] | list[dict[str, Any]]:
        """Run normalised crops (B, 3, S, S): head stages ('tensor'), losses ('loss') or predictions ('predict')."""
        if mode == 'loss':
            return self.loss(inputs, data_samples or {})
        if mode == 'predict':
            return self.predict(inputs, data_samples or {})
        return self.head(self.backbone(inputs))

    def loss(self, inputs: Tensor, data_samples: dict[str, Any]) -> dict[str, Tensor]:
        """Each term of the loss by name."""
        stages = [stage.float() for stage in self(inputs)]
        points, visible = data_samples['points'], data_samples['visible']
        return {name: term(stages, points, visible, inputs.shape[-1]) for name, term in self.terms.items()}

    def output(self, inputs: Tensor) -> Tensor:
        """The last stage; with `flip_test`, its mean with the flipped-back output of the mirrored crop."""
        if not self.flip_test:
            return self(inputs)[-1].float()
        direct, mirrored = self(torch.cat((inputs, inputs.flip(-1))))[-1].float().chunk(2)
        return (direct + self.codec.flip(mirrored, self.mirror, inputs.shape[-1])) / 2

    def predict(self, inputs: Tensor, data_samples: dict[str, Any]) -> list[dict[str, Any]]:
        """The id of each face, its landmarks (K, 2) in pixels of the photograph, and its scores (K,)."""
        points, scores = self.codec.decode(self.output(inputs), inputs.shape[-1])[:2]
        landmarks = self.codec.to_photo(points, data_samples['warp'])
        return [
            dict(id=face_id, landmarks=face_landmarks, scores=face_scores)
            for face_id, face_landmarks, face_scores in zip(
                data_samples['id'], landmarks.cpu(), scores.cpu(), strict=True
            )
        ]


def _build(registry: Registry, config: dict, **facts: Any) -> Any:
    """Build a part. Each fact is passed on if the part's signature has an argument of that name.

    A value in the config wins over a fact.
    """
    part = registry.get(config['type']) if isinstance(config.get('type'), str) else None
    accepted = _argument_names(part) if inspect.isclass(part) else set()
    return registry.build(config, default_args={name: fact for name, fact in facts.items() if name in accepted})


def _argument_names(part: type) -> set[str]:
    """The names of a class's arguments, with those of its bases where __init__ passes **options on."""
    names: set[str] = set()
    for owner in part.__mro__:
        parameters = inspect.signature(vars(owner).get('__init__', object.__init__)).parameters.values()
        names |= {p.name for p in parameters}
        if '__init__' in vars(owner) and not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return names
