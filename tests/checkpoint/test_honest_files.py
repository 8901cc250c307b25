"""Files that people have: what torch, mmengine and long runs write loads as it was saved, within the same bounds."""

import collections
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from faults.fuzzing import mutate, mutate_member
from helpers.weight_files import entry, safetensors, write
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor, nn

from facelmk.checkpoint import load_checkpoint, publish, read_checkpoint, read_content
from facelmk.checkpoint.limits import FREE_BYTES, Budget
from facelmk.engine.saving.newest import newest_checkpoint
from facelmk.errors import FacelmkError
from facelmk.registry import BACKBONES

ZOO = sorted((Path(__file__).parents[2] / 'zoo').glob('*.pth'))


class Network(nn.Module):
    """A network that is pickled whole."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))


def same(one: Any, other: Any) -> bool:
    """Whether two checkpoints hold the same."""
    if isinstance(one, Tensor):
        return torch.equal(one, other) and one.dtype == other.dtype
    if isinstance(one, HistoryBuffer):
        return all(np.array_equal(a, b) for a, b in zip(one.data, other.data, strict=True))
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


@pytest.mark.parametrize('file', ZOO, ids=lambda file: file.stem)
def test_the_weights_of_the_zoo(file: Path) -> None:
    expected = torch.load(file, weights_only=True)
    expected.pop('facelmk_format')
    assert same(read_checkpoint(file), expected)


def long_run() -> dict[str, Any]:
    """What mmengine saves after 210 epochs of 117 iterations, with eleven logged numbers and Adam's state."""
    network = BACKBONES.build(dict(type='QuickNet'))
    optimizer = torch.optim.Adam(network.parameters())
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    numbers = np.random.default_rng(1).random(210 * 117)
    logs = {f'train/loss_{i}': HistoryBuffer(numbers, np.ones(len(numbers))) for i in range(11)}
    return {
        'meta': {'cfg': 'model = dict()\n' * 300, 'epoch': 210, 'dataset_meta': {'classes': ('face',) * 98}},
        'state_dict': network.state_dict(),
        'optimizer': optimizer.state_dict(),
        'message_hub': {'log_scalars': collections.OrderedDict(logs), 'runtime_info': {'lr': np.float64(0.1)}},
        'param_schedulers': [{'milestones': collections.Counter([170, 200]), 'last_step': 210}],
        'random': [random.getstate()] * 8,
        'unlogged': [0.5 * i for i in range(200_000)],
    }


def small_hrnet() -> dict[str, Any]:
    """As many tensors as HRNetV2-W18 with Adam's and averaged weights on eight GPUs, and hardly any numbers."""
    names = [f'backbone.stage4.{i // 40}.branches.{i % 4}.{i}.weight' for i in range(1956)]
    weights = {name: torch.full((2,), float(i)) for i, name in enumerate(names)}
    return {
        'state_dict': weights,
        'ema_state_dict': dict(weights),
        'optimizer': {'state': {i: {'step': torch.tensor(1.0), 'exp_avg': torch.ones(2)} for i in range(978)}},
    }


HONEST = {'a long run of mmengine': long_run, 'as many tensors as HRNet': small_hrnet}


@pytest.mark.parametrize('new', [True, False])
@pytest.mark.parametrize('name', HONEST)
def test_a_checkpoint_of_a_run(name: str, new: bool, tmp_path: Path) -> None:
    expected = HONEST[name]()
    torch.save(expected, tmp_path / 'x.pth', _use_new_zipfile_serialization=new)
    assert same(read_checkpoint(tmp_path / 'x.pth'), expected)


@pytest.mark.parametrize('protocol', [2, 3, 4, 5])
def test_each_protocol_that_torch_can_write(protocol: int, tmp_path: Path) -> None:
    expected = {'w': torch.ones(2), 'a': np.arange(5), 'b': b'\0\xff', 't': ((1, 2), 'x'), 's': {'a', 1}}
    torch.save(expected, tmp_path / 'x.pth', pickle_protocol=protocol)
    assert same(read_checkpoint(tmp_path / 'x.pth'), expected)


def test_a_large_array(tmp_path: Path) -> None:
    """Protocol 2 writes its bytes as a text."""
    expected = {'a': np.random.default_rng(1).random(500_000), 'w': torch.ones(1)}
    torch.save(expected, tmp_path / 'x.pth')
    assert same(read_checkpoint(tmp_path / 'x.pth'), expected)


def test_many_tensors_of_safetensors(tmp_path: Path) -> None:
    header = {f'model.layers.{i}.self_attn.weight': entry(4 * i, 4 * i + 4, 1) for i in range(8000)}
    content = safetensors({'__metadata__': {'format': 'pt'}} | header, np.arange(8000, dtype='<f4').tobytes())
    found = read_checkpoint(write(tmp_path / 'x.safetensors', content))['state_dict']
    assert list(found) == list(header) and found['model.layers.7999.self_attn.weight'].tolist() == [7999]


def test_tensors_that_share_numbers(tmp_path: Path) -> None:
    whole = torch.arange(12.0).reshape(3, 4)
    torch.save(
        {'a': whole, 'b': whole[1:], 'c': whole.T, 'd': whole[:, :1].expand(3, 4), 'e': whole[0, 0]}, tmp_path / 'x.pth'
    )
    found = read_checkpoint(tmp_path / 'x.pth')
    assert same(found, torch.load(tmp_path / 'x.pth')) and found['a'].data_ptr() == found['c'].data_ptr()


@pytest.mark.parametrize('new', [True, False])
def test_without_numbers_only_shapes_are_read(new: bool, tmp_path: Path) -> None:
    torch.save({'meta': {'iter': 3}, 'w': torch.ones(2, 3)}, tmp_path / 'x.pth', _use_new_zipfile_serialization=new)
    found = read_content(tmp_path / 'x.pth', numbers=False)
    assert found['meta'] == {'iter': 3} and found['w'].shape == (2, 3) and found['w'].is_meta


def test_the_budget_grows_with_the_file() -> None:
    assert Budget(0).left == FREE_BYTES and Budget(20_000_000).left - FREE_BYTES == 30_000_000


def test_a_damaged_name_in_the_zip_is_no_reason_to_stop(tmp_path: Path) -> None:
    """torch marks names as UTF-8; the table of contents has the right one."""
    torch.save({'meta': {'epoch': 1, 'iter': 2}, 'optimizer': {}, 'w': torch.ones(1)}, tmp_path / 'x.pth')
    write(tmp_path / 'x.pth', (tmp_path / 'x.pth').read_bytes().replace(b'x/data/0', b'x/d\xb1ta/0', 1))
    (tmp_path / 'last_checkpoint').write_text('x.pth')
    assert newest_checkpoint(tmp_path) is None


@pytest.mark.fault('P02')
@pytest.mark.parametrize('kind', ['zip', 'old', 'safetensors', 'module', 'run'])
def test_mutated_files_are_read_or_refused(kind: str, tmp_path: Path) -> None:
    """Only our own errors come out, whatever is in the file."""
    network = Network()
    content = {'state_dict': network.state_dict(), 'meta': {'epoch': 1, 'iter': 2}, 'optimizer': {'state': {}}}
    content |= {'message_hub': {'loss': HistoryBuffer(np.arange(3.0), np.ones(3))}, 'param_schedulers': [{'a': 1}]}
    given = {'zip': content, 'old': content, 'safetensors': {}, 'module': network, 'run': content}[kind]
    torch.save(given, tmp_path / 'x.pth', _use_new_zipfile_serialization=kind != 'old')
    valid = (tmp_path / 'x.pth').read_bytes()
    if kind == 'safetensors':
        valid = safetensors({'a': entry(0, 8, 2), 'b': entry(8, 12)}, bytes(12))
    (tmp_path / 'last_checkpoint').write_text('x.pth')
    ends: collections.Counter[str] = collections.Counter()
    for number in range(120):
        rng = random.Random(f'{kind} {number}')
        change = mutate_member if kind in ('zip', 'module') and number % 4 else mutate
        write(
            tmp_path / 'x.pth',
            change(valid, rng, [b'}', b')', b'h\x01', b'u', b'Q', b'R', b'\xff' * 4, b'[[', b'"a"', b'\0'])
            if change is mutate
            else change(valid, rng),
        )
        for read in (
            lambda: load_checkpoint(Network(), tmp_path / 'x.pth', strict=False),
            lambda: CheckpointLoader.load_checkpoint(str(tmp_path / 'x.pth')),
            lambda: publish(tmp_path / 'x.pth', tmp_path / 'published'),
            lambda: newest_checkpoint(tmp_path),
        ):
            try:
                read()
                ends['read'] += 1
            except FacelmkError:
                ends['refused'] += 1
    assert min(ends['read'], ends['refused']) > 10, ends
