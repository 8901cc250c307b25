"""Where the four parts meet: output = head(backbone(image)); the codec and the loss do the rest."""

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
    """One summand of the loss: a loss, its weight, and the codec that makes its target."""

    def __init__(self, loss: dict, weight: float, codec: Codec) -> None:
        super().__init__()
        self.loss, self.weight, self.codec = LOSSES.build(loss), weight, codec

    def forward(self, stages: Stages, points: Tensor, visible: Tensor, size: int) -> Tensor:
        """The weighted sum over the stages."""
        target, weight = self.codec.encode(points, visible, stages[-1], size)
        return self.weight * sum(self.loss(stage, target, weight) for stage in stages)


@MODELS.register_module()
class FaceLandmarker(BaseModel):
    """Landmarks from crops of faces.

    `loss` is one loss, or a list of terms dict(loss=..., weight=1., target=<codec>), each with a target of its own.
    `flip_test` averages the output with that of the mirrored crop. `mean` and `std` are of RGB pixels. `size` is the
    crop's side, for the parts whose form depends on it.
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
                f'model.head.out_channels={head["out_channels"]!r}, but {self.codec.__class__.__name__} '
                f'needs {channels} for mark-up {markup!r}. Leave it out: the head is told'
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
        rows = [dict(loss=loss)] if isinstance(loss, dict) else loss
        terms: dict[str, LossTerm] = {}
        for row in rows:
            codec = _build(CODECS, row['target'], markup=self.markup.name) if 'target' in row else self.codec
            name = 'loss_' + row['loss']['type'].rpartition('.')[2].removesuffix('Loss').lower()
            name = name if name not in terms else f'{name}{len(terms)}'
            terms[name] = LossTerm(row['loss'], row.get('weight', 1.0), codec)
        return terms

    def init_weights(self) -> None:
        """Fill the backbone with its start weights, if it names any; the Runner calls this before training."""
        if source := getattr(self.backbone, 'pretrained', None):
            FUNCTIONS.get('load_pretrained')(self.backbone, source)

    def forward(
        self, inputs: Tensor, data_samples: dict[str, Any] | None = None, mode: str = 'tensor'
    ) -> Stages | dict[str, Tensor] | list[dict[str, Any]]:
        """Stages of the head for normalised crops (B, 3, S, S) ('tensor'), losses ('loss') or faces ('predict')."""
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        return self.head(self.backbone(inputs))

    def loss(self, inputs: Tensor, data_samples: dict[str, Any]) -> dict[str, Tensor]:
        """Each term of the loss by its name."""
        stages = [stage.float() for stage in self(inputs)]
        points, visible = data_samples['points'], data_samples['visible']
        return {name: term(stages, points, visible, inputs.shape[-1]) for name, term in self.terms.items()}

    def output(self, inputs: Tensor) -> Tensor:
        """The last stage, averaged with that of the mirrored crop where `flip_test` is on."""
        if not self.flip_test:
            return self(inputs)[-1].float()
        direct, mirrored = self(torch.cat((inputs, inputs.flip(-1))))[-1].float().chunk(2)
        return (direct + self.codec.flip(mirrored, self.mirror, inputs.shape[-1])) / 2

    def predict(self, inputs: Tensor, data_samples: dict[str, Any]) -> list[dict[str, Any]]:
        """Each face's id, landmarks (K, 2) in pixels of its photograph, and scores (K,)."""
        points, scores = self.codec.decode(self.output(inputs), inputs.shape[-1])[:2]
        landmarks = self.codec.to_photo(points, data_samples['warp'])
        return [
            dict(id=i, landmarks=face, scores=score)
            for i, face, score in zip(data_samples['id'], landmarks.cpu(), scores.cpu(), strict=True)
        ]


def _build(registry: Registry, config: dict, **facts: Any) -> Any:
    """A part, with those of the facts that it asks for and the config does not say."""
    part = registry.get(config['type']) if isinstance(config.get('type'), str) else None
    asked = _asked(part) if inspect.isclass(part) else set()
    return registry.build(config, default_args={key: fact for key, fact in facts.items() if key in asked})


def _asked(part: type) -> set[str]:
    """The names of a class's arguments; where it passes on any (**options), its bases' too."""
    names: set[str] = set()
    for owner in part.__mro__:
        parameters = inspect.signature(vars(owner).get('__init__', object.__init__)).parameters.values()
        names |= {p.name for p in parameters}
        if '__init__' in vars(owner) and not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return names
