"""Pickles that would fill the memory, never end, read beyond it or change Python are refused before they run."""

import io
import pickle
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
import torch

from facelmk.checkpoint import read_checkpoint, unpickle, weights_of
from facelmk.checkpoint.limits import check_loaded
from facelmk.checkpoint.opcodes import MAX_KEY_ITEMS, SMALL_INT, scan_pickle
from facelmk.errors import FacelmkError


def load(pickled: bytes) -> object:
    """Check a pickle and load it with the inert unpickler."""
    scan_pickle(pickled)
    return unpickle.load(io.BytesIO(pickled))


def doubled(levels: int) -> tuple:
    """A tuple that holds one tuple twice, which holds one twice, and so on."""
    pair: tuple = (1, 2)
    for _ in range(levels):
        pair = pair, pair
    return pair


TUPLES = b'K\x01K\x02\x86q\x00' + b''.join(b'0h%ch%c\x86q%c' % (i, i, i + 1) for i in range(60))
KIND = b'cnumpy\ndtype\n(X\x02\x00\x00\x00%bK\x00K\x01tR'
BAD: dict[str, bytes] = {
    'a key that unfolds to 2^60 numbers': b'}' + TUPLES + b'K\x01s.',
    'a set of it': b'cbuiltins\nset\n](' + TUPLES + b'e\x85R.',
    'a reference to an object that was not read before': b'h\x07.',
    'bytes of 64 GB': b'\x96' + (1 << 36).to_bytes(8, 'little') + b'.',
    'a text of 1 GB that NumPy makes by itself': b'cnumpy.core.multiarray\nscalar\n'
    + KIND % b'S4'
    + b'(K\x03X\x01\x00\x00\x00|NNNJ\x00\x00\x00\x40K\x01K\x00tb'
    + b'\x85R.',
    'a list of something that is no list': b'cbuiltins\nlist\ncx\nrange\n\x8a\x06' + bytes(5) + b'\x01\x85R\x85R.',
    'a class with another method': b'ctorch.storage\nUntypedStorage\n(N}X\x04\x00\x00\x00fileK\x01stb.',
}


@pytest.mark.parametrize('name', BAD)
def test_a_pickle_that_fills_the_memory_or_never_ends_is_refused_at_once(name: str) -> None:
    seconds = []
    for _ in range(3):  # Python may collect the garbage of other tests meanwhile
        began = time.process_time()
        with pytest.raises(Exception):  # noqa: B017 - any error: read_checkpoint turns it into a FacelmkError
            load(b'\x80\x02' + BAD[name])
        seconds.append(time.process_time() - began)
    assert min(seconds) < 0.05


@pytest.mark.parametrize('name', ['builtins list', '_codecs encode'])
def test_a_small_file_cannot_copy_its_data_again_and_again(name: str) -> None:
    module, function = name.split()
    data = b'](' + b'K\x01' * 1000 + b'e' if function == 'list' else b'X\x00\x00\x01\x00' + bytes(1 << 16)
    call = f'c{module}\n{function}\n'.encode() + b'h\x00\x85R'
    with pytest.raises(ValueError, match='copies'):
        load(b'\x80\x02' + data + b'q\x00](' + call * 3000 + b'e.')


def dict_of(keys: Iterable[object]) -> bytes:
    """A pickled dict with such keys, which is never built."""
    return b'\x80\x02}(' + b''.join(pickle.dumps(key, 2)[2:-1] + b'N' for key in keys) + b'u.'


def test_keys_that_collide_are_refused_at_once(tmp_path: Path) -> None:
    """Python hashes an integer modulo 2**61 - 1: a dict of 60,000 such keys takes minutes."""
    torch.save({'w': torch.ones(1)}, tmp_path / 'a.pth')
    with zipfile.ZipFile(tmp_path / 'a.pth') as source, zipfile.ZipFile(tmp_path / 'x.pth', 'w') as target:
        for name in source.namelist():
            pickled = dict_of(i * SMALL_INT for i in range(60_000))
            target.writestr(name, pickled if name.endswith('data.pkl') else source.read(name))
    began = time.process_time()
    with pytest.raises(FacelmkError, match=r'x\.pth .*keys'):
        read_checkpoint(tmp_path / 'x.pth')
    assert time.process_time() - began < 2


@pytest.mark.parametrize('keys', [[(i, i << 60) for i in range(3000)], [complex(i, i) for i in range(5000)]])
def test_other_keys_that_may_collide_are_counted(keys: list) -> None:
    with pytest.raises(ValueError, match='keys'):
        scan_pickle(dict_of(keys))
    scan_pickle(dict_of(keys[: MAX_KEY_ITEMS // 4]))
    scan_pickle(pickle.dumps(keys, 2))  # a list compares nothing


def test_a_large_memo_index_takes_no_memory() -> None:
    """C's unpickler allocates a table of 4 GB for it."""
    assert load(b'\x80\x02K\x01r\xff\xff\xff\x0f.') == 1


def test_a_long_tuple_of_class_names_is_read(tmp_path: Path) -> None:
    names = tuple(f'class {i}' for i in range(10_000))
    torch.save({'meta': names}, tmp_path / 'x.pth')
    assert read_checkpoint(tmp_path / 'x.pth') == {'meta': names}


def test_the_state_of_a_dtype_is_not_trusted() -> None:
    """NumPy takes flags from it that crash the process later."""
    state = b'(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x3ftb'
    kind = load(b'\x80\x02' + KIND % b'f8' + state + b'.')
    assert kind.dtype == np.dtype('f8') and kind.dtype.flags == 0 and np.dtype('f8').flags == 0


@pytest.mark.parametrize(
    'given',
    [np.arange(3, dtype='>f4'), np.arange(6.0).reshape(2, 3).T, np.array(['a', 'bc']), np.array(3), np.array([True])],
)
def test_arrays_of_other_dtypes_load(given: np.ndarray, tmp_path: Path) -> None:
    torch.save({'a': given, 'again': given, 's': np.str_('x'), 'n': np.int64(-4)}, tmp_path / 'x.pth')
    found = read_checkpoint(tmp_path / 'x.pth')
    assert type(found['a']) is np.ndarray and found['a'].tolist() == given.tolist()
    assert found['again'] is found['a'] and found['s'] == 'x' and found['n'] == -4 and found['n'].dtype == np.int64


def test_an_array_of_objects_loads_empty(tmp_path: Path) -> None:
    """NumPy crashes on some that were tampered with."""
    torch.save({'a': np.array([1, 'a'], object), 'w': torch.ones(1)}, tmp_path / 'x.pth')
    assert read_checkpoint(tmp_path / 'x.pth')['a'].size == 0


@pytest.mark.parametrize('kind', [torch.float8_e4m3fn, torch.uint16, torch.complex64, torch.bool])
def test_tensors_of_other_dtypes_load(kind: torch.dtype, tmp_path: Path) -> None:
    given = torch.arange(6).reshape(2, 3).to(kind)[:, 1:]
    torch.save({'w': given}, tmp_path / 'x.pth')
    found = read_checkpoint(tmp_path / 'x.pth')['w']
    assert (found.dtype is kind and torch.equal(found.view(torch.uint8), given.contiguous().view(torch.uint8))) or (
        found.tolist() == given.tolist()
    )


def deep(levels: int) -> list:
    found: list = []
    for _ in range(levels):
        found = [found]
    return found


def ring() -> list:
    found: list = []
    found.append([found])
    return found


def hidden() -> list:
    """Deep only because shallow lists hold one another."""
    found = [deep(60)]
    for _ in range(9):
        found.append(deep(20))
        last = found[-1]
        while last[0]:
            last = last[0]
        last.append(found[-2])
    return found


@pytest.mark.parametrize('make', [lambda: deep(200), ring, lambda: [doubled(30)], hidden])
def test_endless_nesting_is_refused(make: Callable[[], list], tmp_path: Path) -> None:
    began = time.process_time()
    with pytest.raises(ValueError, match='more than 100 deep'):
        check_loaded(make(), 1000)
    assert time.process_time() - began < 2
    check_loaded(deep(50), 1000)
    check_loaded([doubled(8)] * 3, 1000)


@pytest.mark.parametrize('given', [torch.zeros(1).expand(1 << 40), torch.zeros(1, 1).expand(1 << 15, 1 << 15)])
def test_weights_that_repeat_the_numbers_of_the_file_are_refused(given: torch.Tensor, tmp_path: Path) -> None:
    torch.save({'state_dict': {'w': given}}, tmp_path / 'x.pth')
    with pytest.raises(FacelmkError, match=r'x.pth .*its tensors claim \d+ bytes, 4 are there'):
        weights_of(read_checkpoint(tmp_path / 'x.pth'), tmp_path / 'x.pth')


def test_tensors_that_torch_cannot_compute_with_are_no_weights(tmp_path: Path) -> None:
    torch.save({'state_dict': {'w': torch.zeros((1,) * 64)[None]}}, tmp_path / 'x.pth')
    with pytest.raises(FacelmkError, match='x.pth .*65 dimensions'):
        read_checkpoint(tmp_path / 'x.pth')


def test_a_tar_that_begins_like_a_pickle_is_not_unpacked(tmp_path: Path) -> None:
    """torch would unpack it into a folder of its own, and read what is there."""
    with tarfile.open(tmp_path / 'x.pth', 'w', encoding='latin1') as archive:
        archive.addfile(tarfile.TarInfo('\x80\x02storages'))
    with pytest.raises(FacelmkError, match='x.pth .* is a .tar file'):
        read_checkpoint(tmp_path / 'x.pth')
