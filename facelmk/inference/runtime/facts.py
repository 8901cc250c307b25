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
        if values.get('format') != FORMAT:
            raise FacelmkError(
                f'{source} has format {values.get("format")!r}. This facelmk reads format {FORMAT}. Export it again, '
                'or update facelmk'
            )
        return _check(_facts(values))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise FacelmkError(f'{source}: its metadata are damaged ({error}). Export the model again') from error


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
    sides = (rule.size,) if isinstance(rule, CropRule) else rule.sizes
    if not all(isinstance(side, int) and 16 <= side <= MAX_SIDE_PX for side in sides):
        raise ValueError(f'sides of {sides!r} pixels')
    if facts.kind == 'landmarks' and facts.markup is None:
        raise ValueError('no landmark scheme')
    return facts
