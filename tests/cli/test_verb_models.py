"""facelmk models."""

import hashlib
import json
import re
from pathlib import Path

import torch
from torch import nn

import facelmk
from facelmk.checkpoint import load_checkpoint
from facelmk.config import load_config
from facelmk.registry import BACKBONES, MODELS
from facelmk.report.model_stats import model_cost
from facelmk.zoo import find_model, list_models


class OneConv(nn.Module):
    """A convolution of 3 x 3 and stride 2 without bias: 3 to 4 channels."""

    out_channels = (4,)

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 4, 3, 2, 1, bias=False)

    def forward(self, image):
        return (self.layer(image),)


def test_costs_are_those_computed_by_hand(config, tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(BACKBONES.module_dict, 'OneConv', OneConv)
    (tmp_path / 'one.py').write_text((tmp_path / config).read_text().replace("'ResNet', depth=18", "'OneConv'"))
    rows = {row.part: row for row in model_cost(load_config('one.py'), 32)}
    assert (rows['backbone'].parameters, rows['backbone'].macs) == (4 * 3 * 9, 4 * 3 * 9 * 16 * 16)
    assert (rows['head'].parameters, rows['head'].macs) == (4 * 196 + 196, 4 * 196)  # mean, then a linear layer
    assert rows['model'].macs == rows['backbone'].macs + rows['head'].macs


def test_stats_of_hrnet_as_published(verb) -> None:
    stats = json.loads(verb('models', 'stats', 'hrnetv2_w18_wflw', '--json'))
    total = stats['parts'][0]
    assert stats['shape'] == [3, 256, 256] and total['part'] == 'model' and total['parameters'] == 9_662_528
    assert sum(part['parameters'] for part in stats['parts'][1:]) == 9_662_528


def test_stats_as_text_grow_with_the_crop(verb, config) -> None:
    small, large = (verb('models', 'stats', config, '--shape', side) for side in ('64', '128'))
    macs = [float(text.splitlines()[2].split()[2]) for text in (small, large)]
    assert 3.8 < macs[1] / macs[0] < 4.1


def test_a_crop_must_be_square(verb, config) -> None:
    assert '--shape 256 128' in verb('models', 'stats', config, '--shape', '256', '128', code=2)
    assert verb('models', 'stats', config, '--shape', '64', '64')


def test_publish_keeps_only_the_weights(verb, config) -> None:
    model = MODELS.build(load_config(config).model)
    torch.save(
        {'state_dict': model.state_dict(), 'optimizer': {'state': {}}, 'meta': {'epoch': 3}, 'message_hub': {'x': 1}},
        'epoch_3.pth',
    )
    printed = json.loads(verb('models', 'publish', 'epoch_3.pth', 'out/small.pth', '--json'))
    file = Path(printed['file'])
    assert re.fullmatch(r'small-[0-9a-f]{8}_20\d{6}\.pth', file.name)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == printed['sha256'] and printed['sha256'][:8] in file.name
    published = torch.load(file, weights_only=True)
    assert set(published) == {'facelmk_format', 'meta', 'state_dict'} and published['meta'] == {'epoch': 3}
    assert all(torch.equal(value, published['state_dict'][key]) for key, value in model.state_dict().items())
    assert [path.name for path in Path('out').iterdir()] == [file.name]


def test_publish_of_a_missing_checkpoint_names_a_similar_file(verb, config) -> None:
    Path('epoch_2.pth').write_bytes(b'')
    assert "'epoch_2.pth'" in verb('models', 'publish', 'epoch_3.pth', 'x.pth', code=3)


def test_half_rounds_convolutions_alone_and_the_file_names_its_config(verb, config) -> None:
    model = MODELS.build(load_config(config).model)
    torch.save({'state_dict': model.state_dict()}, 'all.pth')
    printed = json.loads(verb('models', 'publish', 'all.pth', 'small.pth', '--half', '--config', config, '--json'))
    stored = torch.load(printed['file'], weights_only=True)['state_dict']
    for key, value in model.state_dict().items():
        expected = value.half() if value.ndim == 4 else value
        assert stored[key].dtype == expected.dtype and torch.equal(stored[key], expected), key
    assert Path(printed['file']).stat().st_size < 0.55 * Path('all.pth').stat().st_size
    loaded = facelmk.load(printed['file'], device='cpu').landmarker  # every key fits, and the config is in the file
    assert all(parameter.dtype == torch.float32 for parameter in loaded.parameters())


def test_half_refuses_numbers_that_float16_does_not_hold(verb, config) -> None:
    model = MODELS.build(load_config(config).model)
    weights = model.state_dict()
    name = next(key for key, value in weights.items() if value.ndim == 4)
    weights[name][0, 0, 0, 0] = 7e4
    torch.save({'state_dict': weights}, 'large.pth')
    assert f'{name} has values of up to 70000' in verb('models', 'publish', 'large.pth', 'x.pth', '--half', code=2)
    load_checkpoint(model, 'large.pth')


# -- the zoo


def test_list_prints_a_row_for_each_model(verb) -> None:
    rows = verb('models', 'list', '*nano*').splitlines()
    assert [row.split()[0] for row in rows[1:-1]] == list_models('*nano*')
    assert 'wflw_300w' in rows[1] and '0.94' in rows[1] and 'on this machine' in rows[1]
    described = json.loads(verb('models', 'list', '*nano*', '--json'))
    assert [model['name'] for model in described] == list_models('*nano*') and described[0]['licences']['weights']
    assert "'nothing'" in verb('models', 'list', 'nothing', code=2)


def test_show_prints_all_that_is_known(verb) -> None:
    printed, model = verb('models', 'show', 'hrnetv2_w18_wflw'), find_model('hrnetv2_w18_wflw')
    for fact in (
        model.url,
        model.protocol,
        model.host,
        '4693650432',
        'blur: 4.58',
        str(model.cpu_ms),
        model.checked_on,
    ):
        assert fact in printed
    assert json.loads(verb('models', 'show', 'hrnetv2_w18_wflw', '--json'))['NME']['blur'] == 4.58
    assert "'hrnetv2_w18_wlfw'" in verb('models', 'show', 'hrnetv2_w18_wlfw', code=2)


def test_get_copies_the_file(verb, tmp_path, monkeypatch) -> None:
    model = find_model('facelmk_nano')
    assert verb('models', 'get', 'facelmk_nano').strip() == str(model.path)
    path = Path(verb('models', 'get', 'facelmk_nano', '--out', str(tmp_path / 'weights')).strip())
    assert path == tmp_path / 'weights/facelmk_nano.pth' and path.read_bytes() == model.path.read_bytes()
    monkeypatch.setenv('FACELMK_OFFLINE', '1')
    monkeypatch.setenv('FACELMK_HOME', str(tmp_path))
    assert 'FACELMK_OFFLINE' in verb('models', 'get', 'hrnetv2_w18_wflw', code=3)
    assert '1drv.ms' in verb('models', 'get', 'hrnet_w18_wflw_orig', code=3)
