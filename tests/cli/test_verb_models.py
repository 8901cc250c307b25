"""facelmk models."""

import hashlib
import json
import re
from pathlib import Path

import torch
from torch import nn

from facelmk.config import load_config
from facelmk.registry import BACKBONES, MODELS
from facelmk.report.model_stats import model_cost


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
