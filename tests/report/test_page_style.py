"""The colours of pages have enough contrast in both themes, and charts have the right numbers."""

import re

import numpy as np
import pytest

from facelmk.markups import MARKUPS
from facelmk.report.page.axes import ticks
from facelmk.report.page.bars import Bar, bar_chart, difference_chart
from facelmk.report.page.lines import MAX_VALUES, Line, line_chart
from facelmk.report.page.parts import colours, place_numbers
from facelmk.report.page.photos import MAX_PICTURE_BYTES, jpeg_text
from facelmk.report.page.style import BRIGHT_PARTS, DARK, LIGHT, STYLE


def contrast(a: str, b: str) -> float:
    """The contrast of two colours by WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    light = []
    for colour in (a, b):
        shares = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
        light.append(float(linear @ [0.2126, 0.7152, 0.0722]) + 0.05)
    return max(light) / min(light)


@pytest.mark.parametrize('theme', [LIGHT, DARK], ids=['light', 'dark'])
def test_texts_and_lines_have_the_contrast_of_wcag_aa(theme: str) -> None:
    colour = dict(re.findall(r'--(\w+): (#\w{6})', theme))
    for paper in ('paper', 'band'):
        assert all(contrast(colour[name], colour[paper]) >= 4.5 for name in ('ink', 'soft', 'link'))
    graphic = [name for name in colour if re.fullmatch(r'[cep]\d', name)]
    assert len(graphic) == 23
    assert all(ord(letter) < 128 for letter in STYLE)  # an escape that Python had read would be another letter
    assert {name: value for name in graphic if (value := contrast(colour[name], colour['paper'])) < 3} == {}
    order = [contrast(colour[f'e{i}'], colour['paper']) for i in range(5)]
    assert order == sorted(order)  # the larger the error, the stronger the disc


def test_each_part_of_a_scheme_has_its_own_colour() -> None:
    for name in ('wflw', '300w', 'lapa'):
        used = {part: {colours(MARKUPS[name])[i] for i in group} for part, group in MARKUPS[name].parts.items()}
        alone = [next(iter(group)) for part, group in used.items() if len(group) == 1]
        assert len(set(alone)) == len(alone) >= 8, name
    assert BRIGHT_PARTS in DARK


def test_numbers_of_points_do_not_overlap() -> None:
    """The 98 points of a face of 560 pixels: no two numbers touch."""
    angle = np.linspace(0, 2 * np.pi, 98, endpoint=False)
    points = np.stack([280 + 240 * np.cos(angle), 280 + 240 * np.sin(angle)], -1)
    points[60:76] = [[150 + 12 * (i % 4) + 200 * (i // 8), 200 + 12 * (i % 8 // 4)] for i in range(16)]
    names = [str(i) for i in range(98)]
    places = place_numbers(points, names)
    half = np.array([[0.3 * 14 * len(name), 0.4 * 14] for name in names])
    touching = [
        (i, j) for i in range(98) for j in range(i) if (np.abs(places[i] - places[j]) < half[i] + half[j]).all()
    ]
    assert touching == []


def test_a_picture_has_a_limited_size() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (640, 640, 3), np.uint8)
    assert len(jpeg_text(noise)) <= MAX_PICTURE_BYTES * 4 / 3 + 100
    flat = np.full((64, 64, 3), 90, np.uint8)
    assert jpeg_text(flat).startswith('data:image/jpeg;base64,/9j/')


def test_ticks_are_round_and_inside() -> None:
    assert ticks(0, 10) == pytest.approx([0, 2, 4, 6, 8, 10])
    assert ticks(-1.1, 1.1, 4) == pytest.approx([-1, 0, 1])
    assert ticks(0.0021, 0.0049, 3) == pytest.approx([0.003, 0.004])


def test_bars_are_as_long_as_their_values() -> None:
    drawn = bar_chart([Bar('test', 4.0, 3.0, 5.0, '4.00'), Bar('<pose>', 8.0, 6.0, 10.0, '8.00')], 'NME')
    first, second = (float(width) for width in re.findall(r'<rect class="bar"[^>]*width="([\d.]+)"', drawn))
    assert second == pytest.approx(2 * first, abs=0.2) and '&lt;pose&gt;' in drawn and drawn.count('whisker') == 2
    assert 'NaN' not in bar_chart([Bar('none', float('nan'), float('nan'), float('nan'), '–')], 'NME')


def test_a_difference_lies_on_its_side_of_zero() -> None:
    drawn = difference_chart([Bar('a', -1.0, -2.0, -0.5, ''), Bar('b', 1.0, 0.5, 2.0, '')], 'B - A')
    zero = float(re.search(r'<path class="mark" d="M([\d.]+)', drawn)[1])
    left, right = (float(x) for x in re.findall(r'<circle[^>]*cx="([\d.]+)"', drawn))
    assert left - zero == pytest.approx(zero - right, abs=0.2) and left < zero < right


def test_lines_leave_out_what_is_no_number_and_keep_the_best() -> None:
    values = [float('nan'), *np.linspace(9, 1, 5000), float('inf')]
    drawn = line_chart([Line('a', list(range(len(values))), values, best=4999)], 'epoch', 'loss')
    path = re.search(r'<path class="line s0" d="([^"]+)"', drawn)[1]
    assert path.count('L') <= MAX_VALUES and 'nan' not in path and 'inf' not in path
    assert 'best 1.0' in drawn
    assert line_chart([Line('a', [1.0], [float('nan')])], 'epoch', 'loss') == ''
