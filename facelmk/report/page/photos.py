"""Photographs within a page: a small JPEG as text, with points, lines, boxes and numbers over it as SVG."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import FacelmkError
from ...markups import Markup
from .parts import colours, place_numbers

Picture = NDArray[np.uint8]
MAX_PICTURE_BYTES = 30_000  # of a JPEG
QUALITIES = (82, 70, 55, 40, 25)
NUMBER_PX = 8.6  # as in the style sheet


def jpeg_text(image: Picture, limit: int = MAX_PICTURE_BYTES) -> str:
    """Return a BGR image as a data URI of a JPEG of at most `limit` bytes, at a lower quality or size if need be."""
    while True:
        for quality in QUALITIES:
            written, content = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])
            if not written:
                raise FacelmkError(f'OpenCV cannot write an image of shape {image.shape} as JPEG. Expected (H, W, 3)')
            if len(content) <= limit:
                return 'data:image/jpeg;base64,' + base64.b64encode(content.tobytes()).decode()
        image = np.asarray(cv2.resize(image, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA), np.uint8)


def photo(image: Picture, layers: Iterable[str], text: str, name: str = '', limit: int = MAX_PICTURE_BYTES) -> str:
    """Return an image (H, W, 3) with layers over it; `text` describes it, `name` is for `photo_again`."""
    height, width = image.shape[:2]
    identity = f' id="{escape(name)}"' if name else ''
    source = f'<image{identity} width="{width}" height="{height}" href="{jpeg_text(image, limit)}"/>'
    return _svg(width, height, source, layers, text)


def photo_again(name: str, width: int, height: int, layers: Iterable[str], text: str) -> str:
    """Return the mirrored image of the photo `name` of the page, which is not stored twice, with layers over it."""
    source = f'<use href="#{escape(name)}" transform="translate({width} 0) scale(-1 1)"/>'
    return _svg(width, height, source, layers, text)


def _svg(width: int, height: int, source: str, layers: Iterable[str], text: str) -> str:
    return (
        f'<span class="frame"><svg class="photo" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(text)}">{source}{"".join(layers)}</svg></span>'
    )


def points_layer(points: NDArray, markup: Markup, shown: NDArray[np.bool_]) -> str:
    """Return the points (K, 2) that are `shown` (K,), in pixels of the image, coloured by part."""
    groups: dict[int, list[int]] = {}
    for i, colour in enumerate(colours(markup)):
        if shown[i]:
            groups.setdefault(colour, []).append(i)
    parts = [f'<path class="p{colour}" d="{_dots(points[group])}"/>' for colour, group in groups.items()]
    return f'<g class="points"><path class="halo" d="{_dots(points[shown])}"/>{"".join(parts)}</g>'


def lines_layer(points: NDArray, markup: Markup, shown: NDArray[np.bool_]) -> str:
    """Return the lines of the landmark scheme between points (K, 2) that are `shown` (K,)."""
    lines = [[i for i in line if shown[i]] for line in markup.lines]
    return (
        f'<path class="joint" d="{"".join("M" + "L".join(_pair(points[i]) for i in line) for line in lines if line)}"/>'
    )


def hidden_layer(points: NDArray) -> str:
    """Return rings at points (N, 2) that are not visible."""
    rings = ''.join(f'<circle cx="{x + 0.5:.1f}" cy="{y + 0.5:.1f}" r="3"/>' for x, y in points)
    return f'<g class="points hidden">{rings}</g>' if rings else ''


def true_layer(points: NDArray) -> str:
    """Return points (N, 2) in white."""
    dots = _dots(points)
    return f'<g class="true"><path class="halo" d="{dots}"/><path d="{dots}"/></g>'


def misses_layer(points: NDArray, truth: NDArray) -> str:
    """Return lines from points (N, 2) to the true ones."""
    lines = ''.join(f'M{_pair(a)}L{_pair(b)}' for a, b in zip(points, truth, strict=True))
    return f'<path class="miss" d="{lines}"/>'


def numbers_layer(points: NDArray, numbers: Sequence[int], size: tuple[int, int]) -> str:
    """Return the numbers of points (N, 2), beside them and inside an image of (width, height)."""
    names = [str(number) for number in numbers]
    inside = np.clip(place_numbers(points, names, NUMBER_PX), 6, np.array(size) - 6.0)
    texts = (f'<text x="{x:.0f}" y="{y + 3:.0f}">{name}</text>' for (x, y), name in zip(inside, names, strict=True))
    return f'<g class="numbers">{"".join(texts)}</g>'


def box_layer(box: NDArray, kind: str = 'box') -> str:
    """Return a box (4,) x1, y1, x2, y2."""
    x1, y1, x2, y2 = (f'{value:.1f}' for value in box)
    return f'<path class="{kind}" d="M{x1},{y1}H{x2}V{y2}H{x1}Z"/>'


def _dots(points: NDArray) -> str:
    return ''.join(f'M{_pair(point)}h0' for point in points)


def _pair(point: NDArray) -> str:
    """Return a point as text; an image's pixel 0 is drawn from 0 to 1, so its centre is 0.5."""
    return f'{point[0] + 0.5:.1f},{point[1] + 0.5:.1f}'


def tick_boxes(section: str, boxes: Mapping[str, str], ticked: Sequence[str] = ()) -> str:
    """Return boxes to tick, by the classes of the style sheet, with their texts; they change what follows them.

    `section` is its anchor, `ticked` names the boxes that are ticked at first. No script is needed.
    """
    inputs, texts = [], []
    for kind, text in boxes.items():
        anchor = escape(f'{section}-{kind}')
        state = ' checked' if kind in ticked else ''
        inputs.append(f'<input type="checkbox" class="{kind}" id="{anchor}"{state}>')
        texts.append(f'<label class="{kind}-text" for="{anchor}">{escape(text)}</label>')
    return f'{"".join(inputs)}<div class="ticks">{"".join(texts)}</div>'
