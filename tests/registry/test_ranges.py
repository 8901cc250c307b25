"""The ranges of arguments: numbers, lists, dicts, sets of values; and those that another project's part states."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from addict import Dict

from facelmk.cli import main
from facelmk.config import load_config
from facelmk.errors import FacelmkError
from facelmk.registry import LOSSES, TRANSFORMS, Range
from facelmk.registry.ranges import expected, ranges_of

INSIDE: list[tuple[Any, Any]] = [
    ((0, 1), 0),
    ((0, 1), 1.0),
    ((0, 1), [0.2, (0.3, 1)]),
    ((0, 1), None),
    ((0, 1), np.float32(0.5)),
    (Range(1, 9, also=(-1, 'auto')), -1),
    (Range(1, 9, also=(-1, 'auto')), 'auto'),
    (Range(3, 9, step=2), 7),
    (Range(0, 1, length=2, rising=True), (0.5, 0.5)),
    (Range(0, math.inf, also=(math.inf,)), math.inf),
    ({18, 32}, 32),
    ({'a', None}, None),
    ({'x': (0, 1)}, {'x': 1, 'y': 9}),
    ({'*': {'x': (0, 1)}}, {'any': {'x': 0.5}}),
    ({'x': (0, 1)}, Dict(x=1)),  # it has every attribute
]
OUTSIDE: list[tuple[Any, Any]] = [
    ((0, 1), -0.1),
    ((0, 1), math.nan),
    ((1,), math.inf),
    ((0, 1), 'x'),
    ((0, 1), [0.2, (0.3, 2)]),
    ((0, 1), np.array([0.5, 3])),
    ((0, 1, True), 0),
    (Range(1, 9, also=(-1, 'auto')), 'never'),
    (Range(3, 9, step=2), 4),
    (Range(0, 1, length=2, rising=True), (0.5, 0.4)),
    (Range(0, 1, length=2), [0.5]),
    ({18, 32}, 19),
    ({18, 32}, [18, 19]),
    ({'x': (0, 1)}, {'x': 2}),
    ({'*': {'x': (0, 1)}}, {'any': {'x': -1}}),
]


@pytest.mark.parametrize(('limits', 'value'), INSIDE)
def test_inside(limits: Any, value: Any) -> None:
    assert expected(limits, value) is None


@pytest.mark.parametrize(('limits', 'value'), OUTSIDE)
def test_outside(limits: Any, value: Any) -> None:
    assert expected(limits, value)


class Haze:
    """A transform of another project, with options of any name."""

    ranges = {'share': (0, 1), 'levels': Range(0, 255, length=2, rising=True), 'mode': {'add', 'mix'}}

    def __init__(self, share: float = 0.3, levels: tuple[int, int] = (9, 99), **options: Any) -> None:
        self.share, self.levels = share, levels

    @classmethod
    def check_arguments(cls, values: Mapping[str, Any]) -> None:
        if values.get('share') == 1 and values.get('mode') == 'add':
            raise FacelmkError('Haze: share=1, mode=add. Expected another share')

    def __call__(self, sample: dict) -> dict:
        return sample


class DenseHaze(Haze):
    """Inherits the ranges, and narrows one."""

    ranges = {'share': (0.5, 1)}


@pytest.fixture
def haze() -> Iterator[None]:
    names = {'Haze': Haze, 'DenseHaze': DenseHaze}
    for name, part in names.items():
        TRANSFORMS.register_module(name=name, module=part)
    yield
    for name in names:
        TRANSFORMS._module_dict.pop(name)


WRONG = [
    (dict(type='Haze', share=2), 'share=2', 'to 1'),
    (dict(type='Haze', share=math.nan), 'share=nan', 'to 1'),
    (dict(type='Haze', levels=(99, 9)), 'levels=(99, 9)', '2 numbers'),
    (dict(type='DenseHaze', share=0.3), 'share=0.3', 'from 0.5'),
    (dict(type='DenseHaze', levels=(-1, 9)), 'levels=(-1, 9)', '2 numbers'),
    (dict(type='Haze', share=1, mode='add'), 'share=1', 'another share'),
]


@pytest.mark.fault('N05')
@pytest.mark.usefixtures('haze')
@pytest.mark.parametrize(('values', 'key', 'words'), WRONG)
def test_a_part_of_another_project(values: dict, key: str, words: str) -> None:
    """Refused in a config and by the registry."""
    for call in (lambda: load_config('quickstart', {'train_pipeline.2': values}), lambda: TRANSFORMS.build(values)):
        with pytest.raises(FacelmkError) as caught:
            call()
        assert key in str(caught.value) and words in str(caught.value)


@pytest.mark.usefixtures('haze')
def test_its_other_options_pass() -> None:
    assert load_config('quickstart', {'train_pipeline.2': dict(type='Haze', share=0.5, density=-3)})
    assert ranges_of(DenseHaze)['levels'] == Haze.ranges['levels']


def test_a_registry_refuses_what_a_config_refuses() -> None:
    with pytest.raises(FacelmkError, match='omega=-1'):
        LOSSES.build(dict(type='WingLoss', omega=-1))


@pytest.mark.fault('N05')
def test_a_project_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """Parts that say what they take: a codec and a loss of another kind, a backbone with a multiple of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    Path('mine_kinds.py').write_text(
        'from torch import nn\nfrom facelmk.registry import BACKBONES, LOSSES\n'
        '@LOSSES.register_module()\nclass MyPointLoss(nn.Module):\n    kinds = ("points",)\n'
        '@BACKBONES.register_module()\nclass MyNet(nn.Module):\n'
        '    @classmethod\n    def side_multiple(cls, values):\n        return values.get("stride", 24)\n'
        '    def __init__(self, stride: int = 24):\n        pass\n'
    )
    base = (
        'from mmengine.config import read_base\nwith read_base():\n    from facelmk.configs.quickstart import *\n'
        'custom_imports = dict(imports=["mine_kinds"])\n'
    )
    lines = {
        'model.loss = dict(type="MyPointLoss")': ('MyPointLoss', 'points'),
        'model.backbone = dict(type="MyNet")': ('112', 'multiple of 24'),
    }
    for line, facts in lines.items():
        Path('mine.py').write_text(base + line + '\n')
        assert main(['config', 'show', 'mine.py']) == 2
        message = capsys.readouterr().err
        assert all(fact in message for fact in facts), message
    Path('mine.py').write_text(base + 'model.backbone = dict(type="MyNet", stride=28)\n')
    assert main(['config', 'show', 'mine.py']) == 0
