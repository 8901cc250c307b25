"""facelmk config."""

import json
import re

from facelmk.cli.config import flat


def test_show_prints_python_with_the_same_values(verb, config) -> None:
    shown: dict = {}
    exec(verb('config', 'show', config, '--cfg-options', 'model.backbone.depth=50'), shown)
    assert shown['model']['backbone'] == {'type': 'ResNet', 'depth': 50}
    assert shown['test_dataloader']['dataset']['count'] == 3  # filled in from val


def test_show_as_json(verb, config) -> None:
    assert json.loads(verb('config', 'show', config, '--json'))['train_dataloader']['batch_size'] == 2


def test_diff_names_the_values(verb) -> None:
    lines = verb('config', 'diff', 'hrnetv2_w18_wflw', 'hrnetv2_w18_wflw_dark').splitlines()
    assert lines[:2] == ['--- hrnetv2_w18_wflw', '+++ hrnetv2_w18_wflw_dark']
    start = lines.index('model.codec.refine')
    assert lines[start : start + 3] == ['model.codec.refine', "  - 'quarter'", "  + 'dark'"]
    assert re.match(r'\d+ values', lines[-1])


def test_diff_of_a_config_with_itself(verb, config) -> None:
    assert verb('config', 'diff', config, config).splitlines()[-1] == 'no value differs'


def test_diff_as_json_with_a_key_of_one_config_only(verb, config, tmp_path) -> None:
    text = (tmp_path / config).read_text().replace(', flip=1.', '')
    (tmp_path / 'other.py').write_text(text + '\nresult = dict(NME=3.)')
    pairs = json.loads(verb('config', 'diff', config, 'other.py', '--json'))
    assert pairs['result.NME'] == [None, 3.0]
    assert {key: pair for key, pair in pairs.items() if key.startswith('train')} == {
        'train_dataloader.dataset.pipeline.1.flip': [1.0, None]
    }


def test_flat() -> None:
    tree = dict(a=dict(b=1, c=[dict(d=2), 3]), e=(4, 5), f={})
    assert dict(flat(tree)) == {'a.b': 1, 'a.c.0.d': 2, 'a.c.1': 3, 'e': [4, 5], 'f': {}}


def test_a_misspelt_name_is_refused(verb) -> None:
    assert "'hrnetv2_w18_wflw'" in verb('config', 'show', 'hrnetv2_w18_wlfw', code=2)
    assert 'hrnetv2' in verb('config', 'diff', 'hrnetv2_w18_wflw', 'hrnetv2_w18', code=2)
