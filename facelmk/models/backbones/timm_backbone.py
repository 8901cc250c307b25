"""Any network of timm (https://github.com/huggingface/pytorch-image-models) that returns feature maps."""

from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

from torch import Tensor, nn

from ...errors import FacelmkError, MissingResource, UnknownName, did_you_mean
from ...registry import BACKBONES
from .base import Backbone

READ_BY_TIMM = {'checkpoint_path', 'pretrained_cfg', 'pretrained_cfg_overlay'}  # options that name files or addresses


@BACKBONES.register_module()
class TimmBackbone(Backbone):
    """The timm network `name`; needs `pip install timm`.

    `out_indices` are timm's indices of the features (None: all features), `options` go to timm's `create_model`.
    `pretrained='timm'` loads timm's own weights. Stage n holds the layers up to feature n. Where timm cannot split the
    network, stage 0 is the complete network.
    """

    multiple = 1  # not known
    ranges = {'out_indices': (0, 31)}

    def __init__(
        self,
        name: str = 'resnet18',
        out_indices: Sequence[int] | None = None,
        pretrained: str | None = None,
        frozen_stages: int = -1,
        **options: Any,
    ) -> None:
        if files := sorted(READ_BY_TIMM.intersection(options)):
            raise FacelmkError(
                f'TimmBackbone: {files[0]}={options[files[0]]!r} makes timm unpickle a file, which may run code in it. '
                'Set pretrained to the path of the weights'
            )
        timm = _timm()
        if not timm.is_model(name):
            raise UnknownName(
                f'TimmBackbone: name={name!r} is no model of timm. {did_you_mean(name, timm.list_models())}'
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
        """Load timm's own weights, from its cache or from the internet."""
        try:
            pretrained = _timm().create_model(pretrained=True, **self.recipe)
        except Exception as error:  # a dozen types: of timm's hub, of the network, of models without weights
            raise MissingResource(
                f'timm cannot load weights for {self.recipe["model_name"]!r}: {error}. '
                'To train from scratch, set model.backbone.pretrained=None.'
            ) from error
        self.network.load_state_dict(pretrained.state_dict())

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        features = self.network(image)
        return tuple(x.permute(0, 3, 1, 2) if self.channels_last else x for x in features)


def _timm() -> ModuleType:
    """Import timm, which only this backbone needs."""
    try:
        import timm
    except ImportError as error:
        raise MissingResource('TimmBackbone needs timm, which is not installed. Run: pip install timm') from error
    return timm


def _parts(network: nn.Module) -> list[list[nn.Module]]:
    """The children of a network, split after each child that returns a feature."""
    feature_layers, parts, part = getattr(network, 'return_layers', {}), [], []
    for name, child in network.named_children():
        part.append(child)
        if name in feature_layers:
            parts.append(part)
            part = []
    return parts or [[network]]
