"""Landmark schemes that a config describes as plain data."""

import pytest

from facelmk.config import config_of_text, load_config
from facelmk.config.own_markups import markup_of, plain_markup
from facelmk.errors import FacelmkError
from facelmk.markups import MARKUPS

CROP = [dict(type='LoadImage'), dict(type='CropFace', size=64), dict(type='PackFace')]
PAW = dict(name='paw', size=4, pairs=[[0, 1]], names=['left', 'right', 'top', 'end'], lines=[[0, 2, 1]])
TEXT = f"""
markups = [{PAW!r}]
val_dataloader = dict(batch_size=1, dataset=dict(type='CsvFaces', ann_file='a.csv', markup='paw', pipeline={CROP!r}))
val_evaluator = [dict(type='NME', norm='box_side')]
model = dict(type='facelmk.FaceLandmarker', markup='paw', backbone=dict(type='ResNet', depth=18),
             head=dict(type='RegressionHead'), codec=dict(type='Coordinates'), loss=dict(type='WingLoss'))
"""


@pytest.fixture(autouse=True)
def without_paw(monkeypatch):
    """Each test begins without the scheme, and leaves none."""
    monkeypatch.setitem(MARKUPS, 'paw', MARKUPS['five'])
    monkeypatch.delitem(MARKUPS, 'paw')


@pytest.mark.parametrize('name', ['wflw', '300w', 'lapa', 'wflw_300w', 'five'])
def test_a_scheme_survives_as_plain_data(name):
    assert markup_of(plain_markup(MARKUPS[name])) == MARKUPS[name]


@pytest.mark.parametrize('safe', [False, True])
def test_a_config_registers_its_schemes(safe, tmp_path):
    (tmp_path / 'my.py').write_text(TEXT)
    config = load_config(tmp_path / 'my.py', safe=safe)
    scheme = MARKUPS['paw']
    assert scheme.mirror.tolist() == [1, 0, 2, 3] and scheme.lines == ((0, 2, 1),)
    assert config_of_text(config.pretty_text, tmp_path / 'x.pth').markups == config.markups


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(name='wflw'), 'comes with facelmk'),
        (dict(size=10**9), 'size=1000000000'),
        (dict(pairs=[[0, 9]]), 'indices'),
        (dict(pairs=3), r'markups\[0\]'),
        (dict(names=['a']), 'different names'),
        (dict(parts=[1]), r'markups\[0\]'),
        (dict(colour='red'), "'colour'"),
    ],
)
def test_what_is_no_scheme(change, message, tmp_path):
    (tmp_path / 'my.py').write_text(TEXT.replace(repr(PAW), repr(PAW | change)))
    with pytest.raises(FacelmkError, match=message) as error:
        load_config(tmp_path / 'my.py')
    assert 'my.py' in str(error.value)
