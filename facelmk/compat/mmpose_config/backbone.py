"""Backbones of MMPose."""

from typing import Any, NamedTuple

from ...models.backbones import ResNet, SCNet
from .reading import Part, Values

START_WEIGHTS = {  # names that only MMPose's libraries know
    'mmcls://mobilenet_v2': 'https://download.openmmlab.com/mmclassification/v0/mobilenet_v2/'
    'mobilenet_v2_batch256_imagenet_20200708-3b2dc3af.pth'
}
CSP_WIDTH, RESNET_WIDTH = 1024, 512  # channels of the last stage, of CSPNeXt-l and of a ResNet before its expansion


class Network(NamedTuple):
    """A backbone of ours, the channels and stride of its features, and whether BatchNorm is synchronised."""

    config: Values
    channels: list[int]
    stride: int
    sync: bool


def translate_backbone(part: Part) -> Network:
    """The backbone of a model."""
    _, translate = part.choose(BACKBONES)
    part.only('norm_eval', False)
    part.only('with_cp', False)
    part.only('conv_cfg', None)
    config = _start(part)
    if part.get('frozen_stages', -1) != -1:
        config['frozen_stages'] = part.get('frozen_stages')
    network: Network = translate(part)
    return network._replace(config=network.config | config)


def _start(part: Part) -> Values:
    """The start weights. Without them, layers start as the papers say, whatever `init_cfg` asks for."""
    init = part.part('init_cfg')
    if init is None:
        return {}
    if init.kind() != 'Pretrained':
        init.refuse_kind("Expected dict(type='Pretrained', checkpoint=...)")
    init.skip('map_location')
    init.only('prefix', None, 'backbone.', 'backbone')  # facelmk finds the backbone in a checkpoint without it
    name = init.get('checkpoint')
    if str(name).partition('://')[0] in ('mmcls', 'mmpretrain') and name not in START_WEIGHTS:
        init.refuse('checkpoint', f'a path, a URL or {", ".join(START_WEIGHTS)}')
    return {'pretrained': START_WEIGHTS.get(name, name)}


def _norm(part: Part, momentum: float = 0.1, left_out: bool = True) -> tuple[float, bool]:
    """BatchNorm's momentum, and whether it is synchronised."""
    norm = part.part('norm_cfg')
    if norm is None:
        if not left_out:
            part.refuse('norm_cfg', "dict(type='SyncBN') or dict(type='BN'), which have a momentum of 0.1")
        return momentum, False
    name = norm.kind()
    if name not in ('BN', 'BN2d', 'SyncBN'):
        norm.refuse_kind('Expected BN or SyncBN')
    norm.only('requires_grad', True)
    norm.only('eps', 1e-5)
    return norm.get('momentum', 0.1), name == 'SyncBN'


def _usual_norm(part: Part, left_out: bool = True) -> bool:
    """Whether BatchNorm is synchronised; its momentum must be the usual one."""
    momentum, sync = _norm(part, left_out=left_out)
    if momentum != 0.1:
        part.refuse('norm_cfg', 'a momentum of 0.1')
    return sync


def _hrnet(part: Part) -> Network:
    part.only('in_channels', 3)
    part.skip('zero_init_residual')  # changes the start of training from nothing alone
    momentum, sync = _norm(part)
    extra = part.needed('extra')
    width = extra.needed('stage2').get('num_channels')[0]
    stages: dict[str, Values] = {
        'stage1': dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=[4], num_channels=[64]),
        **{
            f'stage{number}': dict(
                num_modules=modules,
                num_branches=number,
                block='BASIC',
                num_blocks=[4] * number,
                num_channels=[width * 2**i for i in range(number)],
            )
            for number, modules in ((2, 1), (3, 4), (4, 3))
        },
    }
    for name, expected in stages.items():
        stage = extra.needed(name)
        for key, value in expected.items():
            stage.exactly(key, value)
    extra.needed('stage4').exactly('multiscale_output', True)  # the head reads all four resolutions
    upsample = extra.needed('upsample')
    upsample.exactly('mode', 'bilinear')
    upsample.only('align_corners', False)
    config = dict(type='HRNet', width=width) | ({'momentum': momentum} if momentum != 0.1 else {})
    return Network(config, stages['stage4']['num_channels'], 4, sync)


def _resnet(part: Part, ours: type[ResNet] = ResNet) -> Network:
    fixed: Values = dict(
        in_channels=3, stem_channels=64, base_channels=64, expansion=None, num_stages=4, strides=(1, 2, 2, 2)
    )
    fixed |= dict(dilations=(1, 1, 1, 1), style='pytorch', deep_stem=False, avg_down=False)
    for key, value in fixed.items():
        part.only(key, value)
    part.skip('zero_init_residual')
    depth, stages = part.get('depth'), [i + 1 for i in part.get('out_indices', [3])]
    if depth not in ours.depths:
        part.refuse('depth', ' or '.join(map(str, ours.depths)))
    expansion = 1 if depth == 18 else 4
    config: Values = dict(type=ours.__name__, depth=depth) | ({} if stages == [4] else {'out_stages': tuple(stages)})
    channels = [RESNET_WIDTH * expansion // 2 ** (4 - stage) for stage in stages]
    return Network(config, channels, 2 ** (stages[0] + 1), _usual_norm(part))


def _scnet(part: Part) -> Network:
    return _resnet(part, SCNet)


def _mobilenet(part: Part) -> Network:
    part.only('widen_factor', 1.0)
    part.only('out_indices', (7,))
    part.only('act_cfg', dict(type='ReLU6'))
    return Network(dict(type='MobileNetV2'), [1280], 32, _usual_norm(part))


def _hourglass(part: Part) -> Network:
    part.exactly('num_stacks', 1)
    part.only('downsample_times', 5)
    part.only('stage_channels', (256, 256, 384, 384, 384, 512))
    part.only('stage_blocks', (2, 2, 2, 2, 2, 4))
    part.only('feat_channel', 256)
    return Network(dict(type='Hourglass'), [256], 4, _usual_norm(part))


def _csp_next(part: Part) -> Network:
    fixed: dict[str, Any] = dict(
        arch='P5',
        expand_ratio=0.5,
        use_depthwise=False,
        arch_ovewrite=None,
        spp_kernel_sizes=(5, 9, 13),
        channel_attention=True,
        act_cfg=dict(type='SiLU'),
    )
    for key, value in fixed.items():
        part.only(key, value)
    stages = part.get('out_indices', [2, 3, 4])
    deepen, widen = part.get('deepen_factor', 1.0), part.get('widen_factor', 1.0)
    config: Values = dict(type='CSPNeXt', deepen=deepen, widen=widen)
    config |= {} if stages == [4] else {'out_stages': tuple(stages)}
    channels = [int(CSP_WIDTH // 2 ** (4 - stage) * widen) for stage in stages]
    return Network(config, channels, 2 ** (stages[-1] + 1), _usual_norm(part, left_out=False))


BACKBONES = {
    'HRNet': _hrnet,
    'ResNet': _resnet,
    'SCNet': _scnet,
    'MobileNetV2': _mobilenet,
    'HourglassNet': _hourglass,
    'CSPNeXt': _csp_next,
}
