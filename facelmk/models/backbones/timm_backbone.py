"""Any network of timm (https://github.com/huggingface/pytorch-image-models) that gives feature maps."""

from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

from torch import Tensor, nn

from ...errors import MissingResource, UnknownName, did_you_mean
from ...registry import BACKBONES
from .base import Backbone


@BACKBONES.register_module()
class TimmBackbone(Backbone):
    """timm's network `name`; needs `pip install facelmk[timm]`.

    `out_indices` are timm's numbers of the features (None: all that it gives), `options` are for its `create_model`.
    `pretrained='timm'` are its own weights. Stage n is all that makes feature n, where timm can take the network apart,
    else stage 0 is the whole.
    """

    def __init__(
        self,
        name: str = 'resnet18',
        out_indices: Sequence[int] | None = None,
        pretrained: str | None = None,
        frozen_stages: int = -1,
        **options: Any,
    ) -> None:
        timm = _timm()
        if not timm.is_model(name):
            raise UnknownName(
                f"TimmBackbone: name={name!r} is none of timm's. {did_you_mean(name, timm.list_models())}"
            )
        if out_indices is not None:
            options['out_indices'] = tuple(out_indices)
        self.recipe = dict(model_name=name, features_only=True, **options)
        network = timm.create_model(pretrained=False, **self.recipe)
        self.parts = _parts(network)
        self.stages = len(self.parts) - 1
        super().__init__(pretrained, frozen_stages)
        self.network = network
        self.out_channels = tuple(network.feature_info.channels())
        self.channels_last = getattr(network, 'output_fmt', 'NCHW') == 'NHWC'
        self.train()

    def stage(self, index: int) -> Iterable[nn.Module]:
        return self.parts[index]

    def fetch(self) -> None:
        """Take timm's own weights, from its cache or the net."""
        try:
            given = _timm().create_model(pretrained=True, **self.recipe)
        except Exception as error:  # of its hub, of the net, of a network without weights: a dozen kinds
            raise MissingResource(
                f'timm has no weights for {self.recipe["model_name"]!r} here: {error}. To start from '
                'scratch instead, set model.backbone.pretrained=None'
            ) from error
        self.network.load_state_dict(given.state_dict())

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        features = self.network(image)
        return tuple(x.permute(0, 3, 1, 2) if self.channels_last else x for x in features)


def _timm() -> ModuleType:
    """timm, which only this backbone needs."""
    try:
        import timm
    except ImportError as error:
        raise MissingResource('TimmBackbone needs timm, which is not here: pip install facelmk[timm]') from error
    return timm


def _parts(network: nn.Module) -> list[list[nn.Module]]:
    """The children of a network, cut behind each that gives a feature."""
    ends, parts, part = getattr(network, 'return_layers', {}), [], []
    for name, child in network.named_children():
        part.append(child)
        if name in ends:
            parts.append(part)
            part = []
    return parts or [[network]]
