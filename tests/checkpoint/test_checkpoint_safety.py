"""No code in a checkpoint runs: not from a path or URL, not through the Runner's own reader."""

import collections
import os
import pickle
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor, nn

from facelmk.checkpoint import load_checkpoint, load_pretrained, read_checkpoint, weights_of
from facelmk.checkpoint.building import HarmfulName
from facelmk.checkpoint.limits import Budget
from facelmk.checkpoint.objects import Stub
from facelmk.checkpoint.unpickle import Unpickler
from facelmk.errors import FacelmkError, MissingResource, UnknownName
from facelmk.files.download import cached, fetch
from facelmk.registry import BACKBONES


class Canary:
    """Writes a file when it is unpickled by an ordinary reader."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return os.system, (f'touch {self.path}',)


class Foreign:
    """Names a harmless function that is no data."""

    def __reduce__(self) -> tuple:
        return np.save, ('nowhere', 0)


class Network(nn.Module):
    """A network that is pickled whole."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.register_buffer('scratch', torch.zeros(2), persistent=False)


class Quiet(SimpleHTTPRequestHandler):
    """A file server that writes no log and keeps a list of requests."""

    asked: list[str]

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str, list[str]]]:
    """A folder, the loopback address that serves it, and the list of what was fetched; the cache is empty."""
    monkeypatch.setenv('FACELMK_HOME', str(tmp_path / 'home'))
    folder, asked = tmp_path / 'site', []
    folder.mkdir()
    handler = partial(type('Handler', (Quiet,), {'asked': asked}), directory=str(folder))
    with ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f'http://127.0.0.1:{server.server_port}', asked
        server.shutdown()


def poisoned(path: Path, canary: Path, new: bool = True) -> None:
    state = BACKBONES.build(dict(type='QuickNet')).state_dict()
    torch.save({'state_dict': state, 'evil': Canary(canary)}, path, _use_new_zipfile_serialization=new)


@pytest.mark.fault('D01', 'D02')
@pytest.mark.parametrize('new', [True, False])
def test_a_malicious_pickle_runs_no_code(new: bool, site: tuple, tmp_path: Path) -> None:
    folder, address, _ = site
    canary = tmp_path / 'fired'
    poisoned(folder / 'evil.pth', canary, new)
    backbone = BACKBONES.build(dict(type='QuickNet'))
    for source in (str(folder / 'evil.pth'), f'{address}/evil.pth'):
        for read in (
            partial(load_checkpoint, backbone),
            partial(load_pretrained, backbone),
            read_checkpoint,
            CheckpointLoader.load_checkpoint,
        ):
            with pytest.raises(FacelmkError, match=r'evil.pth is not loaded: it calls posix.system'):
                read(source)
    assert not canary.exists()
    torch.load(folder / 'evil.pth', weights_only=False)
    assert canary.exists()  # the same file does fire in an ordinary reader


def load(pickled: bytes) -> object:
    """Read one pickle, without storages."""
    return Unpickler(pickled, Budget(len(pickled)), lambda *_: pytest.fail('no storages')).load()


@pytest.mark.parametrize(
    'body',
    [
        b'cos\nsystem\nU\x0ctouch fired  \x85R',
        b'cbuiltins\nexec\nU\x0ctouch fired  \x85R',
        b'cbuiltins\ngetattr\ncos\nsystem\nU\x08__call__\x86R',
        b'ctorch.hub\nload\nU\x05fired\x85R',
        b'cnumpy\nload\nU\x05fired\x85R',
        b'ctorch.serialization\nload\nU\x05fired\x85R',
        b'cfunctools\npartial\ncnumpy\nload\n\x85R',
    ],
)
def test_bare_pickles_run_no_code(body: bytes) -> None:
    if b'os\n' in body or b'exec' in body:
        with pytest.raises(HarmfulName):
            load(b'\x80\x02' + body + b'.')
    else:
        assert isinstance(load(b'\x80\x02' + body + b'.'), Stub)


@pytest.mark.parametrize(
    'name', ['collections Counter', 'torch._utils _rebuild_tensor_v2', '_codecs encode', 'torch FloatStorage', 'a B']
)
def test_a_pickle_cannot_change_what_the_next_file_is_read_with(name: str) -> None:
    """The BUILD opcode sets attributes; on a function or class, all later files would see them."""
    body = f'c{name.replace(" ", chr(10))}\n'.encode() + b'q\x000h\x00}U\x06markedK\x01sbh\x00.'
    if name == 'a B':
        assert load(b'\x80\x02' + body.replace(b'h\x00.', b'ca\nB\n.')).state is None
    else:
        with pytest.raises(ValueError, match='it changes a'):
            load(b'\x80\x02' + body)


@pytest.mark.parametrize('new', [True, False])
def test_arrays_and_containers_load_as_saved(new: bool, tmp_path: Path) -> None:
    log = HistoryBuffer(np.arange(4.0), np.ones(4))
    given = {
        'log': log,
        'c': collections.Counter('aab'),
        'd': collections.defaultdict(list, a=[1]),
        'o': collections.OrderedDict(x=np.float64(0.5)),
        'a': np.arange(6).reshape(2, 3),
        't': torch.float16,
        's': {1, 2},
        'p': nn.Parameter(torch.ones(2)),
        'z': torch.Size([2, 3]),
        'b': b'\x00\xff',
    }
    torch.save(given | {'odd': Foreign()}, tmp_path / 'x.pth', _use_new_zipfile_serialization=new)
    found = read_checkpoint(tmp_path / 'x.pth')
    assert type(found['log']) is HistoryBuffer and found['log'].statistics('mean') == 1.5
    assert found['c']['a'] == 2 and found['c']['absent'] == 0 and found['d']['absent'] == []
    assert found['o']['x'] == 0.5 and np.array_equal(found['a'], given['a'])
    assert torch.equal(found['p'], torch.ones(2))
    assert all(found[key] == given[key] for key in 'tszb')


@pytest.mark.parametrize('new', [True, False])
def test_the_tensors_of_a_network_pickled_whole_load(new: bool, tmp_path: Path) -> None:
    """As model_best.pth and checkpoint_*.pth of the original HRNet are."""
    network = Network()
    wrapped = nn.DataParallel(network)
    for content in (network, {'state_dict': wrapped, 'epoch': 3}):
        torch.save(content, tmp_path / 'x.pth', _use_new_zipfile_serialization=new)
        found = weights_of(read_checkpoint(tmp_path / 'x.pth'), 'x.pth')
        assert {key.removeprefix('module.') for key in found} == network.state_dict().keys()
        other = Network()
        load_checkpoint(other, tmp_path / 'x.pth')
        assert all(torch.equal(value, other.state_dict()[key]) for key, value in network.state_dict().items())


def test_torchscript_is_refused(tmp_path: Path) -> None:
    torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)).save(tmp_path / 'x.pth')
    with pytest.raises(FacelmkError, match='TorchScript'):
        read_checkpoint(tmp_path / 'x.pth')


@pytest.mark.fault('D05')
def test_the_runner_never_sees_config_text(tmp_path: Path) -> None:
    """mmengine runs meta['config'] as Python when it resumes."""
    torch.save(
        {'state_dict': {'w': torch.ones(1)}, 'meta': {'epoch': 2, 'config': 'raise SystemExit'}, 'optimizer': {'a': 1}},
        tmp_path / 'x.pth',
    )
    found = CheckpointLoader.load_checkpoint(str(tmp_path / 'x.pth'), map_location='cpu')
    assert found['meta'] == {'epoch': 2} and found['optimizer'] == {'a': 1} and list(found['state_dict']) == ['w']


def test_the_runner_reads_known_dialects_and_leaves_other_networks_alone(tmp_path: Path) -> None:
    for given, expected in (
        ('keypoint_head.fc.bias', 'head.fc.bias'),
        ('linear.bias', 'linear.bias'),
        ('backbone.x', 'backbone.x'),
    ):
        torch.save({given: torch.ones(1)}, tmp_path / 'x.pth')
        assert list(CheckpointLoader.load_checkpoint(str(tmp_path / 'x.pth'))['state_dict']) == [expected]


def test_the_cache_tells_urls_apart(site: tuple) -> None:
    folder, address, asked = site
    for name in ('a', 'b'):
        (folder / name).mkdir()
        torch.save({'name': name}, folder / name / 'best.pth')
    for _ in range(2):
        assert [read_checkpoint(f'{address}/{name}/best.pth')['name'] for name in 'ab'] == ['a', 'b']
    assert asked == ['/a/best.pth', '/b/best.pth']
    assert cached(f'{address}/a/best.pth') != cached(f'{address}/a/best.pth?v=2')


def test_a_download_with_another_hash_than_in_its_name_is_refused(site: tuple, tmp_path: Path) -> None:
    folder, address, _ = site
    (folder / 'm-00000000.pth').write_bytes(b'something else')
    with pytest.raises(MissingResource, match='promises 00000000'):
        fetch(f'{address}/m-00000000.pth')
    assert not list((tmp_path / 'home' / 'downloads').iterdir())


def test_the_error_without_a_connection_says_where_to_put_the_file(site: tuple) -> None:
    with pytest.raises(MissingResource, match=r'none.pth.*put it at .*FACELMK_HOME'):
        read_checkpoint(f'{site[1]}/none.pth')
    with pytest.raises(MissingResource, match='pretrained=None'):
        load_pretrained(nn.Module(), 'http://127.0.0.1:9/none.pth')


class Toy(BaseModel):
    """Learns one number."""

    def __init__(self) -> None:
        super().__init__()
        self.number = nn.Parameter(torch.zeros(1))

    def forward(self, inputs: list[Tensor], mode: str = 'loss') -> dict[str, Tensor]:
        return {'loss': ((self.number - torch.stack(inputs)) ** 2).mean()}


def trained(folder: Path, epochs: int, name: str, **options: object) -> Runner:
    loader = dict(
        dataset=[dict(inputs=torch.ones(1))] * 4, batch_size=2, sampler=dict(type='DefaultSampler', shuffle=False)
    )
    runner = Runner(
        Toy(),
        str(folder),
        train_dataloader=loader,
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='Adam', lr=0.1)),
        default_scope='mmengine',
        param_scheduler=dict(type='MultiStepLR', milestones=[1, 1, 3]),
        experiment_name=name,
        log_level='ERROR',
        **options,
    )
    runner.train()
    return runner


def test_mmengines_runner_resumes_its_own_checkpoint(tmp_path: Path) -> None:
    """With PyTorch 2.6 and later, mmengine 0.10.7 alone cannot read what it wrote."""
    whole = trained(tmp_path / 'a', 4, 'whole')
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / 'a' / 'epoch_2.pth')
    resumed = trained(tmp_path / 'b', 4, 'resumed', load_from=str(tmp_path / 'a' / 'epoch_2.pth'), resume=True)
    assert torch.equal(whole.model.number, resumed.model.number) and resumed.epoch == 4


@pytest.mark.parametrize('scheme', ['openmmlab', 'mmcls', 'modelzoo', 's3', 'petrel', 'pavi', 'local:s3'])
def test_no_address_leads_to_a_reader_of_mmengine_that_unpickles(scheme: str) -> None:
    with pytest.raises(UnknownName, match=scheme):
        CheckpointLoader.load_checkpoint(f'{scheme}://resnet50')
