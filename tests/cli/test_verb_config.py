"""facelmk config"""

import json

from facelmk.cli.config import flat


def test_show_is_python_that_says_the_same(verb, config) -> None:
    shown: dict = {}
    exec(verb('config', 'show', config, '--cfg-options', 'model.backbone.depth=50'), shown)
    assert shown['model']['backbone'] == {'type': 'ResNet', 'depth': 50}
    assert shown['test_dataloader']['dataset']['count'] == 3  # filled in from val


def test_show_as_json(verb, config) -> None:
    assert json.loads(verb('config', 'show', config, '--json'))['train_dataloader']['batch_size'] == 2


def test_diff_names_the_values(verb) -> None:
    told = verb('config', 'diff', 'hrnetv2_w18_wflw', 'hrnetv2_w18_wflw_dark').splitlines()
    assert told[:2] == ['--- hrnetv2_w18_wflw', '+++ hrnetv2_w18_wflw_dark']
    place = told.index('model.codec.refine')
    assert told[place : place + 3] == ['model.codec.refine', "  - 'quarter'", "  + 'dark'"]
    assert told[-1].endswith('values differ')


def test_diff_of_the_same(verb, config) -> None:
    assert verb('config', 'diff', config, config).splitlines()[-1] == 'no value differs'


def test_diff_as_json_with_a_key_on_one_side(verb, config, tmp_path) -> None:
    text = (tmp_path / config).read_text().replace(', flip=1.', '')
    (tmp_path / 'other.py').write_text(text + '\nresult = dict(NME=3.)')
    told = json.loads(verb('config', 'diff', config, 'other.py', '--json'))
    assert told['result.NME'] == [None, 3.0]
    assert {key: pair for key, pair in told.items() if key.startswith('train')} == {
        'train_dataloader.dataset.pipeline.1.flip': [1.0, None]
    }


def test_flat() -> None:
    tree = dict(a=dict(b=1, c=[dict(d=2), 3]), e=(4, 5), f={})
    assert dict(flat(tree)) == {'a.b': 1, 'a.c.0.d': 2, 'a.c.1': 3, 'e': [4, 5], 'f': {}}


def test_misspelt_name(verb) -> None:
    assert "'hrnetv2_w18_wflw'" in verb('config', 'show', 'hrnetv2_w18_wlfw', code=2)
    assert 'hrnetv2' in verb('config', 'diff', 'hrnetv2_w18_wflw', 'hrnetv2_w18', code=2)
