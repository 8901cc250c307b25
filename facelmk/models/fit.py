"""Whether backbone, head, codec and losses fit together, from what each of their classes says; and how to build one.

A codec has a `kind`, a head and a loss have the `kinds` that they make and take; none means any. A backbone's
`side_multiple` says which crops it takes.
"""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from ..codecs import Codec
from ..errors import FacelmkError
from ..markups import MARKUPS
from ..registry import BACKBONES, CODECS, HEADS, LOSSES, Registry

DETECTOR_KIND = 'box maps'  # of a codec that encodes boxes, not points


def check_fit(values: Mapping[str, Any]) -> None:
    """Refuse parts of a FaceLandmarker, given as its arguments, that do not fit together."""
    _check_size(values)
    head, markup, size = values['head'], values.get('markup', 'wflw'), values.get('size', 256)
    codec = build_part(CODECS, values['codec'], markup=markup)
    channels = codec.channels(MARKUPS[markup].size, size)
    facts = dict(out_channels=channels, maps=channels, bins=codec.bins(size), size=values.get('size'))
    check_facts(HEADS, head, facts)
    check_facts(BACKBONES, values['backbone'], facts)
    _check_kind('codec', codec, HEADS, head, 'head')
    _check_spread(values.get('calibration'), codec)
    for place, term in terms(values['loss']):
        target, target_place = codec, 'codec'
        if 'target' in term:
            target, target_place = build_part(CODECS, term['target'], markup=markup), f'{place}.target'
            _check_kind(target_place, target, HEADS, head, 'head')
            _check_channels(target_place, target.channels(MARKUPS[markup].size, size), channels)
        _check_kind(target_place, target, LOSSES, term['loss'], place)


def check_detector_fit(values: Mapping[str, Any]) -> None:
    """Refuse parts of a FaceDetector, given as its arguments, that do not fit together."""
    _check_size(values)
    codec = build_part(CODECS, values['codec'])
    if codec.kind != DETECTOR_KIND:
        raise FacelmkError(
            f'model.codec={type(codec).__name__} works on {codec.kind or "points"}. Expected a codec of '
            f'{DETECTOR_KIND} in a FaceDetector, such as BoxMaps'
        )
    check_facts(HEADS, values['head'], dict(out_channels=codec.channels(1), size=values.get('size')))
    _check_kind('codec', codec, HEADS, values['head'], 'head')
    _check_kind('codec', codec, LOSSES, values['loss'], 'loss')


def terms(loss: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """The place and the dict of each term, as dict(loss=..., weight=..., target=...)."""
    if isinstance(loss, Mapping):
        return [('loss', dict(loss=loss))]
    return [(f'loss[{i}]', dict(term)) for i, term in enumerate(loss)]


def _check_channels(place: str, channels: int, expected: int) -> None:
    if channels != expected:
        raise FacelmkError(
            f'model.{place} has {channels} channels, model.codec {expected}. Expected codecs of as many '
            'channels, since they encode targets of one output'
        )


def _check_spread(calibration: Mapping[str, Any] | None, codec: Codec) -> None:
    if calibration is not None and not codec.has_spread:
        raise FacelmkError(
            f'model.calibration={calibration["type"]!r} needs the spread of the maps, and model.codec='
            f'{type(codec).__name__} has none. Expected Integral or Heatmap. Remove model.calibration'
        )


def _check_size(values: Mapping[str, Any]) -> None:
    """Refuse crops whose side the network's strides do not divide."""
    size, backbone = values.get('size'), values['backbone']
    multiple_of = getattr(_class_of(BACKBONES, backbone), 'side_multiple', None)
    multiple = 1 if multiple_of is None else multiple_of(backbone)
    if size is not None and size % multiple:
        low = max(size // multiple, 1) * multiple
        raise FacelmkError(
            f'model.size={size}, the side of the crops. Expected a multiple of {multiple} for {backbone["type"]}, such '
            f'as {low} or {low + multiple}. Set CropFace.size in all pipelines'
        )


def _check_kind(place: str, codec: Codec, registry: Registry, config: Mapping[str, Any], other: str) -> None:
    """Refuse a head or a loss that does not make or take what the codec writes."""
    kind, part = getattr(codec, 'kind', ''), _class_of(registry, config)
    kinds = getattr(part, 'kinds', ())
    if kind and kinds and kind not in kinds:
        raise FacelmkError(
            f'model.{place}={type(codec).__name__} works on {kind}, model.{other}={config["type"]} on '
            f'{" or ".join(kinds)}. Expected two parts of one kind. Choose {_names(registry, kind)} or another codec'
        )


def _names(registry: Registry, kind: str) -> str:
    return ' or '.join(name for name in registry if kind in getattr(registry.get(name), 'kinds', ()) or ()) or 'another'


def check_facts(registry: Registry, config: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts that a part takes; refuse a value in its config that contradicts one."""
    part = _class_of(registry, config)
    accepted = _argument_names(part) if inspect.isclass(part) else set()
    facts = {name: fact for name, fact in facts.items() if name in accepted}
    for name, fact in facts.items():
        value = config.get(name)
        value = tuple(value) if isinstance(value, list) else value
        if None not in (value, fact) and value != fact:
            raise FacelmkError(
                f'model: the {registry.name} {config["type"]} has {name}={value!r}. Expected {fact}, as the other '
                f'parts need it. Remove {name} from the config'
            )
    return facts


def build_part(registry: Registry, config: dict[str, Any], **facts: Any) -> Any:
    """Build a part. Each fact is passed on if the part's signature has an argument of that name."""
    return registry.build(config, default_args=check_facts(registry, config, facts))


def _class_of(registry: Registry, config: Mapping[str, Any]) -> Any:
    return registry.get(config['type']) if isinstance(config.get('type'), str) else config.get('type')


def _argument_names(part: type) -> set[str]:
    """The names of a class's arguments, with those of its bases where __init__ passes **options on."""
    names: set[str] = set()
    for owner in part.__mro__:
        parameters = inspect.signature(vars(owner).get('__init__', object.__init__)).parameters.values()
        names |= {p.name for p in parameters}
        if '__init__' in vars(owner) and not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return names
