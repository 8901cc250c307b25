"""Block D of the fault table: weight files that are malicious, cut off, of other projects or too large."""

import json
import pickle
import struct
import time
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.runner.checkpoint import CheckpointLoader
from torch import nn

from facelmk.checkpoint import Mismatch, load_checkpoint, read_checkpoint, save_checkpoint, weights_of
from facelmk.errors import FacelmkError


class Network(nn.Module):
    """Two layers."""

    def __init__(self, points: int = 3) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.head = nn.Linear(4, points)


def peak_mb() -> float:
    """The peak memory of this process, in MB."""
    with open('/proc/self/status', encoding='ascii') as file:
        return int(file.read().split('VmHWM:')[1].split()[0]) / 1024


def assert_refused(path: Path, *words: str) -> None:
    """Reading the file fails with exit code 2 and these words, and takes less than 50 MB."""
    before = peak_mb()
    with pytest.raises(FacelmkError) as error:
        read_checkpoint(path)
    assert type(error.value) is FacelmkError and error.value.exit_code == 2
    assert all(word in str(error.value) for word in (path.name, *words)), error.value
    assert peak_mb() - before < 50


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    torch.save({'state_dict': Network().state_dict()}, tmp_path / 'whole.pth')
    return tmp_path / 'whole.pth'


@pytest.mark.fault('D06')
@pytest.mark.parametrize('kept', [40, 600, 0.5, 0.99])
def test_a_zip_cut_off(whole: Path, kept: float) -> None:
    content = whole.read_bytes()
    whole.write_bytes(content[: int(kept if kept > 1 else kept * len(content))])
    assert_refused(whole, 'its end is missing', 'cut off', f'({whole.stat().st_size} bytes)')


@pytest.mark.fault('D07')
def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / 'x.pth').touch()
    assert_refused(tmp_path / 'x.pth', 'it is empty', '(0 bytes)')


@pytest.mark.fault('D08')
@pytest.mark.parametrize('text', ['weights are at https://...', '{"a": 1}', '\n'])
def test_text(tmp_path: Path, text: str) -> None:
    (tmp_path / 'x.pth').write_text(text)
    assert_refused(tmp_path / 'x.pth', 'no checkpoint, it begins with')


@pytest.mark.fault('D08')
def test_a_web_page(tmp_path: Path) -> None:
    (tmp_path / 'x.pth').write_text('<!DOCTYPE html><html>Log in')
    assert_refused(tmp_path / 'x.pth', 'a web page')


@pytest.mark.fault('D09')
def test_a_legacy_file_is_read_as_data(tmp_path: Path) -> None:
    """As MMPose's published files are: no zip, with texts and times in `meta`."""
    given = Network()
    torch.save(
        {'state_dict': given.state_dict(), 'meta': {'epoch': 60, 'time': 'x'}},
        tmp_path / 'x.pth',
        _use_new_zipfile_serialization=False,
    )
    network = Network()
    assert load_checkpoint(network, tmp_path / 'x.pth') == {'epoch': 60, 'time': 'x'}
    assert torch.equal(network.head.weight, given.head.weight)


@pytest.mark.fault('D10', 'D11', 'D12', 'D13')
def test_a_mismatch_is_reported_and_nothing_is_loaded_in_part(tmp_path: Path) -> None:
    weights = Network(5).state_dict()
    weights['head.other'] = weights.pop('backbone.0.bias')
    torch.save(weights, tmp_path / 'x.pth')
    network = Network()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with pytest.raises(Mismatch) as error:
        load_checkpoint(network, tmp_path / 'x.pth')
    for words in (
        '1 missing (backbone.0.bias)',
        '1 left over (head.other)',
        '2 of another shape',
        'head.weight (5, 4), here (3, 4)',
    ):
        assert words in str(error.value)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


@pytest.mark.fault('D14')
def test_module_before_each_key(tmp_path: Path) -> None:
    given, network = Network(), Network()
    torch.save(nn.DataParallel(nn.DataParallel(given)).state_dict(), tmp_path / 'x.pth')
    load_checkpoint(network, tmp_path / 'x.pth')
    assert torch.equal(network.head.weight, given.head.weight)


@pytest.mark.parametrize(
    'kind',
    [
        pytest.param(torch.float16, marks=pytest.mark.fault('D18')),
        pytest.param(torch.bfloat16, marks=pytest.mark.fault('D19')),
    ],
)
def test_half_precision_fills_the_networks_own_type(tmp_path: Path, kind: torch.dtype) -> None:
    given, network = Network(), Network()
    torch.save({key: value.to(kind) for key, value in given.state_dict().items()}, tmp_path / 'x.pth')
    load_checkpoint(network, tmp_path / 'x.pth')
    assert network.head.weight.dtype is torch.float32
    assert torch.equal(network.head.weight, given.head.weight.to(kind).float())


@pytest.mark.fault('D20')
@pytest.mark.parametrize('new', [True, False])
@pytest.mark.parametrize('device', ['cuda:0', 'mps'])
def test_saved_on_another_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, new: bool) -> None:
    given, network = Network(), Network()
    monkeypatch.setattr(torch.serialization, 'location_tag', lambda storage: device)
    torch.save({'state_dict': given.state_dict()}, tmp_path / 'x.pth', _use_new_zipfile_serialization=new)
    monkeypatch.undo()
    with pytest.raises(RuntimeError):
        torch.load(tmp_path / 'x.pth')  # it does lie on a device that is not here
    load_checkpoint(network, tmp_path / 'x.pth')
    assert torch.equal(network.head.weight, given.head.weight) and network.head.weight.device.type == 'cpu'


class Storage:
    """Pickles as the persistent id of a storage with so many numbers."""

    def __init__(self, size: int) -> None:
        self.size = size


class HugeTensor:
    """Pickles as a tensor of four terabytes; the file holds four bytes of it."""

    def __reduce__(self) -> tuple:
        storage = Storage(10**12)
        return torch._utils._rebuild_tensor_v2, (storage, 0, (10**12,), (1,), False, OrderedDict())


def pickled(value: Any, *rest: Any) -> bytes:
    class Pickler(pickle.Pickler):
        def persistent_id(self, item: Any) -> tuple | None:
            return ('storage', torch.FloatStorage, '0', 'cpu', item.size, *rest) if isinstance(item, Storage) else None

    file = BytesIO()
    Pickler(file, 2).dump(value)
    return file.getvalue()


@pytest.mark.fault('D21')
def test_a_tensor_of_terabytes(tmp_path: Path) -> None:
    torch.save({'w': torch.ones(1)}, tmp_path / 'a.pth')
    with zipfile.ZipFile(tmp_path / 'a.pth') as given, zipfile.ZipFile(tmp_path / 'x.pth', 'w') as made:
        for name in given.namelist():
            made.writestr(name, pickled({'w': HugeTensor()}) if name.endswith('data.pkl') else given.read(name))
    assert_refused(tmp_path / 'x.pth', '4000000000000 bytes')


@pytest.mark.fault('D21')
def test_a_legacy_tensor_of_terabytes(tmp_path: Path) -> None:
    with open(tmp_path / 'x.pth', 'wb') as file:
        for value in (
            torch.serialization.MAGIC_NUMBER,
            torch.serialization.PROTOCOL_VERSION,
            dict(protocol_version=1001, little_endian=True, type_sizes=dict(short=2, int=4, long=4)),
        ):
            pickle.dump(value, file, 2)
        file.write(pickled({'w': HugeTensor()}, None))
        pickle.dump(['0'], file, 2)
        file.write(struct.pack('<qf', 1, 1.0))
    assert_refused(tmp_path / 'x.pth')


@pytest.mark.fault('D21')
def test_an_array_of_terabytes(tmp_path: Path) -> None:
    """NumPy's own pickles make the array before they fill it."""
    size = (10**13).to_bytes(6, 'little')
    payload = b'\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n\x8a\x06' + size
    torch.save({'w': torch.ones(1)}, tmp_path / 'a.pth')
    with zipfile.ZipFile(tmp_path / 'a.pth') as given, zipfile.ZipFile(tmp_path / 'x.pth', 'w') as made:
        for name in given.namelist():
            made.writestr(name, payload + b'\x85C\x01b\x87R.' if name.endswith('data.pkl') else given.read(name))
    before = peak_mb()
    with pytest.raises(FacelmkError, match='x.pth'):
        weights_of(read_checkpoint(tmp_path / 'x.pth'), tmp_path / 'x.pth')
    assert peak_mb() - before < 50


@pytest.mark.fault('D21')
def test_a_bomb_in_the_zip(tmp_path: Path, whole: Path) -> None:
    with zipfile.ZipFile(whole, 'a', zipfile.ZIP_DEFLATED) as archive, archive.open('whole/data/9', 'w') as entry:
        for _ in range(100):
            entry.write(bytes(1 << 20))
    assert_refused(whole, 'unpacked from', 'packs nothing')


@pytest.mark.fault('D21')
def test_two_tables_of_contents(tmp_path: Path, whole: Path) -> None:
    """zipfile would read the second table, torch the first: a check of one says nothing about the other."""
    first, second = whole.read_bytes(), BytesIO()
    with zipfile.ZipFile(second, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('whole/data.pkl', bytes(1 << 20))
    for joined in (first + second.getvalue(), second.getvalue() + first, b'PK' + first, first + b'\0', first + first):
        (tmp_path / 'x.pth').write_bytes(joined)
        assert_refused(tmp_path / 'x.pth', 'end')
    end = first[:-98] + first[-98:-50] + bytes(8) + first[-42:]  # the 64-bit record points elsewhere
    (tmp_path / 'x.pth').write_bytes(end)
    assert_refused(tmp_path / 'x.pth', 'table of contents')
    (tmp_path / 'x.pth').write_bytes(first[:-34] + bytes(8) + first[-26:])  # and so does its locator
    assert_refused(tmp_path / 'x.pth', '64-bit end record')


@pytest.mark.fault('D21')
def test_a_legacy_storage_that_the_file_does_not_hold(tmp_path: Path) -> None:
    """torch makes it as large as the pickle says, and fills only those that a list at the end names."""
    tensor = torch._utils._rebuild_tensor_v2

    class Large:
        def __reduce__(self) -> tuple:
            return tensor, (Storage(1 << 28), 0, (1 << 28,), (1,), False, OrderedDict())

    with open(tmp_path / 'x.pth', 'wb') as file:
        for value in (torch.serialization.MAGIC_NUMBER, torch.serialization.PROTOCOL_VERSION, dict(little_endian=True)):
            pickle.dump(value, file, 2)
        file.write(pickled({'w': Large()}, None))
        pickle.dump([], file, 2)
    assert_refused(tmp_path / 'x.pth', f'{1 << 30} bytes')


def safetensors(path: Path, header: dict[str, Any] | str, data: bytes = b'', length: int | None = None) -> Path:
    """Write a file with this header, right or wrong."""
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, 'little') + text + data)
    return path


def entry(first: int, last: int, *shape: int, dtype: str = 'F32') -> dict[str, Any]:
    return {'dtype': dtype, 'shape': list(shape), 'data_offsets': [first, last]}


def test_safetensors_are_loaded(tmp_path: Path) -> None:
    """The format's own test of a reader: two kinds, an empty tensor, a number, what the file says of itself."""
    file = safetensors(
        tmp_path / 'x.safetensors',
        {
            '__metadata__': {'format': 'pt'},
            'b': entry(8, 12, 2, dtype='BF16'),
            'a': entry(0, 8, 1, 2),
            'n': entry(12, 20, dtype='I64'),
            'none': entry(20, 20, 0, 3),
        },
        struct.pack('<ffHHq', 1.0, 2.0, 0x3F80, 0x4000, 7),
    )
    found = read_checkpoint(file)
    assert found['meta'] == {'format': 'pt'} and found['state_dict']['none'].shape == (0, 3)
    assert found['state_dict']['a'].tolist() == [[1, 2]] and found['state_dict']['b'].tolist() == [1, 2]
    assert found['state_dict']['b'].dtype is torch.bfloat16 and found['state_dict']['n'].item() == 7


def test_a_network_is_filled_from_safetensors(tmp_path: Path) -> None:
    given, network, header, data = Network(), Network(), {}, b''
    kinds = {torch.float32: 'F32', torch.int64: 'I64'}
    for key, value in given.state_dict().items():
        piece = value.numpy().tobytes()
        header[key] = entry(len(data), len(data) + len(piece), *value.shape, dtype=kinds[value.dtype])
        data += piece
    load_checkpoint(network, safetensors(tmp_path / 'x.safetensors', header, data))
    assert all(torch.equal(value, given.state_dict()[key]) for key, value in network.state_dict().items())


@pytest.mark.fault('D22')
def test_more_tensors_than_any_network_has(tmp_path: Path) -> None:
    file = safetensors(tmp_path / 'x.safetensors', {f'{i}': entry(0, 0, 0) for i in range(150_000)})
    began = time.process_time()
    with pytest.raises(FacelmkError, match=r'x\.safetensors'):
        read_checkpoint(file)
    assert time.process_time() - began < 2


HUGE = 1 << 47
BAD: dict[str, tuple[str, Callable[[Path], Path], str]] = {
    'header of 2^63 bytes': ('D22', lambda path: safetensors(path, '{}', length=1 << 63), 'claims 9223372036854775808'),
    'header beyond the file': ('D22', lambda path: safetensors(path, '{}', length=100), 'header claims 100 bytes'),
    'tensor beyond the file': ('D22', lambda path: safetensors(path, {'a': entry(0, 8, 2)}, bytes(4)), '8 bytes'),
    'tensor smaller than its shape': ('D22', lambda p: safetensors(p, {'a': entry(0, 4, 2)}, bytes(4)), 'needs 8'),
    'shape that overflows': ('D22', lambda p: safetensors(p, {'a': entry(0, 0, HUGE, HUGE, HUGE)}), 'no memory'),
    'empty shape that overflows': ('D22', lambda p: safetensors(p, {'a': entry(0, 0, 0, HUGE, HUGE)}), 'no memory'),
    'negative offset': ('D22', lambda path: safetensors(path, {'a': entry(-4, 0, 1)}, bytes(4)), 'whole numbers'),
    'offsets in the wrong order': ('D22', lambda path: safetensors(path, {'a': entry(4, 0, 1)}, bytes(4)), 'needs 4'),
    'floating-point shape': ('D22', lambda p: safetensors(p, {'a': entry(0, 4, 1.0)}, bytes(4)), 'whole numbers'),
    'deep nesting': ('D22', lambda path: safetensors(path, '{"a":' + '[' * 100_000), 'recursion'),
    'no JSON': ('D22', lambda path: safetensors(path, '{"a"'), 'delimiter'),
    'NaN for a number': ('D22', lambda path: safetensors(path, '{"a": NaN}'), 'NaN'),
    'list for a dtype': (
        'D22',
        lambda p: safetensors(p, {'a': entry(0, 4, 1) | {'dtype': ['F32']}}, bytes(4)),
        'dtype',
    ),
    'many repeated keys': ('D24', lambda p: safetensors(p, '{' + '"a":1,' * 100_000 + '"a":1}'), "'a' twice"),
    'unknown dtype': ('D22', lambda p: safetensors(p, {'a': entry(0, 4, 1, dtype='X9')}, bytes(4)), "'X9'"),
    'overlap': ('D23', lambda p: safetensors(p, {'a': entry(0, 8, 2), 'b': entry(4, 12, 2)}, bytes(12)), 'overlaps'),
    'same bytes': ('D23', lambda p: safetensors(p, {'a': entry(0, 4, 1), 'b': entry(0, 4, 1)}, bytes(4)), 'overlaps'),
    'gap': ('D23', lambda p: safetensors(p, {'a': entry(0, 4, 1), 'b': entry(8, 12, 1)}, bytes(12)), 'gap'),
    'repeated key': (
        'D24',
        lambda p: safetensors(
            p, '{"a":' + json.dumps(entry(0, 4, 1)) + ',"a":' + json.dumps(entry(0, 4, 1)) + '}', bytes(4)
        ),
        "'a' twice",
    ),
    'repeated shape': (
        'D24',
        lambda p: safetensors(p, '{"a":{"dtype":"F32","shape":[1],"shape":[2],"data_offsets":[0,4]}}', bytes(4)),
        "'shape' twice",
    ),
}


@pytest.mark.parametrize('name', [pytest.param(name, marks=pytest.mark.fault(BAD[name][0])) for name in BAD])
def test_a_wrong_safetensors_header_is_refused(tmp_path: Path, name: str) -> None:
    _, make, words = BAD[name]
    assert_refused(make(tmp_path / 'x.safetensors'), words)


@pytest.mark.fault('D25')
@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_nan_weights(tmp_path: Path, value: float) -> None:
    network = Network()
    with torch.no_grad():
        network.head.bias[1] = value
    torch.save({'state_dict': network.state_dict()}, tmp_path / 'x.pth')
    for read in (lambda path: load_checkpoint(Network(), path), CheckpointLoader.load_checkpoint):
        with pytest.raises(FacelmkError, match=r"1 of 9 tensors, first in 'head.bias'"):
            read(str(tmp_path / 'x.pth'))


@pytest.mark.fault('D26')
def test_a_newer_format(tmp_path: Path) -> None:
    save_checkpoint({'state_dict': {}}, tmp_path / 'x.pth')
    assert torch.load(tmp_path / 'x.pth')['facelmk_format'] == 1
    torch.save({'facelmk_format': 2, 'state_dict': Network().state_dict()}, tmp_path / 'x.pth')
    assert_refused(tmp_path / 'x.pth', 'format 2', 'knows format 1', 'Update')
