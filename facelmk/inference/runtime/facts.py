"""What an exported file says about itself: landmark scheme, crop rule, outputs, weights. It is stored as JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from ...errors import FacelmkError
from ...markups import MARKUPS, Markup

KEY = 'facelmk'  # of the JSON text in the metadata of a file
FORMAT = 1
KINDS = ('landmarks', 'boxes')
TO_PHOTO = ('exact', 'truncate', 'round')  # what happens to coordinates in the photograph; the last two are HRNet's
MAX_SIDE_PX = 4096
REAL = (int, float)
LIMITS: dict[str, dict[str, tuple[float, float, Any]]] = {  # lowest and highest value and types, as the parts in torch
    'landmarks': {'size': (16, MAX_SIDE_PX, (int,)), 'padding': (0.1, 10, REAL), 'span': (15, MAX_SIDE_PX, (int,))},
    'boxes': {
        'sizes': (32, 8192, (int,)),
        'multiple': (1, 512, (int,)),
        'most_boxes': (1, 1000, (int,)),
        **dict.fromkeys(('score', 'overlap', 'least_score', 'most_overlap'), (0, 1, REAL)),
        'shift': (-10, 10, REAL),
        'factor': (0.01, 100, REAL),
    },
}
LISTS = ('sizes', 'shift', 'factor')  # of a scene; all other values are single numbers


@dataclass(frozen=True)
class CropRule:
    """How `CropFace` cuts a box out of a photograph: see its arguments. `span` is `size`, or size - 1 with `udp`."""

    size: int
    padding: float
    span: int
    integer: bool = False


@dataclass(frozen=True)
class SceneRule:
    """How a detector searches a picture: `sizes`, `score` and `overlap` as in `FacelmkDetector`, sides in multiples.

    `least_score`, `most_overlap` and `most_boxes` choose boxes as in `BoxMaps`. `shift` and `factor` map them to the
    tight boxes of landmarks, as in `BoxRule`.
    """

    sizes: tuple[int, ...]
    multiple: int
    score: float
    overlap: float
    least_score: float
    most_overlap: float
    most_boxes: int
    shift: tuple[float, float] = (0.0, 0.0)
    factor: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True)
class Facts:
    """The facts of one file. `mean` and `std` of RGB levels are for information: the graph normalises."""

    kind: str
    name: str
    codec: str
    crop: CropRule | None = None
    scene: SceneRule | None = None
    markup: Markup | None = None
    to_photo: str = 'exact'
    flip_average: bool = False
    inputs: str = ''
    outputs: tuple[str, ...] = ()
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    weights: str = ''
    weights_sha256: str = ''
    card: str = ''
    version: str = ''
    parity: Mapping[str, Any] = field(default_factory=dict)

    def to_text(self) -> str:
        """Return the text that a file stores."""
        return json.dumps({'format': FORMAT} | asdict(self))

    def with_parity(self, parity: Mapping[str, Any]) -> 'Facts':
        """Return the facts with the measured differences from torch."""
        return replace(self, parity=parity)


def read_facts(text: str | None, source: str) -> Facts:
    """Return the facts in the text of a file; `source` is its name in errors."""
    if not text:
        raise FacelmkError(
            f'{source} has no {KEY!r} entry in its metadata, so the crop and the landmark scheme are unknown. Expected '
            'a file that `facelmk export` wrote'
        )
    try:
        values = json.loads(text)
        version = values.get('format')
        if version == FORMAT:
            return _check(_facts(values))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, FacelmkError) as error:
        raise FacelmkError(f'{source}: its metadata are damaged ({error}). Export the model again') from error
    raise FacelmkError(
        f'{source} has format {version!r}. This facelmk reads format {FORMAT}. Export it again, or update facelmk'
    )


def _facts(values: Mapping[str, Any]) -> Facts:
    known = {one.name for one in fields(Facts)}
    plain: dict[str, Any] = {key: _as_tuples(value) for key, value in values.items() if key in known}
    plain['crop'] = None if values.get('crop') is None else CropRule(**values['crop'])
    plain['scene'] = None if values.get('scene') is None else SceneRule(**_dict_of_tuples(values['scene']))
    plain['markup'] = None if values.get('markup') is None else _markup(values['markup'])
    plain['parity'] = dict(values.get('parity') or {})
    return Facts(**plain)


def _markup(values: Mapping[str, Any]) -> Markup:
    """Return our landmark scheme of that name if it has these points, otherwise the scheme of the file."""
    written = Markup(**(_dict_of_tuples(values) | {'parts': _dict_of_tuples(values['parts'])}))
    known = MARKUPS.get(written.name)
    return known if known is not None and known.same_points(written) else written


def _dict_of_tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _as_tuples(value) for key, value in values.items()}


def _as_tuples(value: Any) -> Any:
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value


def _check(facts: Facts) -> Facts:
    """Refuse values that no exported file has."""
    rule = facts.crop if facts.kind == 'landmarks' else facts.scene
    if facts.kind not in KINDS or rule is None or facts.to_photo not in TO_PHOTO:
        raise ValueError(f'kind={facts.kind!r}, to_photo={facts.to_photo!r}')
    for key, (low, high, kind) in LIMITS[facts.kind].items():
        values = getattr(rule, key)
        for value in values if key in LISTS else (values,):
            if type(value) not in kind or not low <= value <= high:
                raise ValueError(f'{key}={value!r}. Expected a number from {low} to {high}')
    if isinstance(rule, CropRule):
        if rule.size - rule.span not in (0, 1) or not isinstance(rule.integer, bool):
            raise ValueError(f'span={rule.span!r}, integer={rule.integer!r} for crops of {rule.size} pixels')
    elif not rule.sizes or not len(rule.shift) == len(rule.factor) == 2:
        raise ValueError(f'sizes={rule.sizes!r}, shift={rule.shift!r}, factor={rule.factor!r}')
    if facts.kind == 'landmarks' and facts.markup is None:
        raise ValueError('no landmark scheme')
    return facts
