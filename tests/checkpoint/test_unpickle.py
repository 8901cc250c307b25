"""Pickles that would fill the memory, never end, read beyond it or change Python are refused before they run."""

import pickle
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from helpers.weight_files import name, old, pickled, storage, tensor, text, write, zipped

from facelmk.checkpoint import read_checkpoint, weights_of
from facelmk.checkpoint.building import MAX_ODD_KEYS
from facelmk.checkpoint.limits import MAX_DEPTH, Budget, check_content
from facelmk.checkpoint.objects import SMALL_INT
from facelmk.checkpoint.unpickle import Unpickler
from facelmk.errors import FacelmkError


def load(body: bytes, size: int | None = None) -> Any:
    """Read one pickle that names no storage, with the budget of a file of this size."""
    return Unpickler(body, Budget(len(body) if size is None else size), lambda *_: pytest.fail('no storages')).load()


def doubled(levels: int) -> tuple:
    """A tuple that holds one tuple twice, which holds one twice, and so on."""
    pair: tuple = (1, 2)
    for _ in range(levels):
        pair = pair, pair
    return pair


KIND = b'cnumpy\ndtype\n(X\x02\x00\x00\x00%bK\x00K\x01tR'
BAD: dict[str, bytes] = {
    'a reference to an object that was not read before': b'h\x07',
    'bytes of 64 GB': b'\x8e' + (1 << 36).to_bytes(8, 'little'),
    'a text of -1 letters': b'T\xff\xff\xff\xff',
    'an extension': b'\x82\x01',
    'an instance of protocol 0': b'(ios\nx\n',
    'an integer of protocol 0': b'L' + b'9' * 9000 + b'L\n',
    'an integer of 2 GB': b'\x8b\xff\xff\xff\x7f',
    'a persistent id of protocol 0': b'P0\n',
    'a name without an end': b'cos' * 1000,
    'a name that is a number': b'K\x01K\x02\x93',
    'no objects': b'\x87',
    'no mark': b'Nt',
    'an odd number of items': b'}(NNNu',
    'items of a text': text('a') + b'NNs',
    'an item at the end of a tuple': b')Na',
    'an item in a dict': b'}(N\x90',
    'a list as a key': b'}]Ns',
    'a call of a list': b']\x8fR',
    'a call with a list': name('torch', 'Size') + b']R',
    'a call of a tensor type': name('torch', 'float32') + b')R',
    'a set of a text of one letter a byte': name('builtins', 'set') + text('abc') + b'\x85R',
    'the state of a number': b'K\x01}b',
    'a text of 1 GB that NumPy makes by itself': b'cnumpy.core.multiarray\nscalar\n'
    + KIND % b'S4'
    + b'(K\x03X\x01\x00\x00\x00|NNNJ\x00\x00\x00\x40K\x01K\x00tb'
    + b'\x85R',
    'a list of something that is no list': b'cbuiltins\nlist\ncx\nrange\n\x8a\x06' + bytes(5) + b'\x01\x85R\x85R',
    'a class with another method': b'ctorch\nSize\nN}X\x04\x00\x00\x00fileK\x01s\x86b',
    'a dtype of many fields': b'cnumpy\ndtype\n' + text('i4,' * 10_000 + 'i4') + b'\x85R]b',
    'an array with a wrong size': b'cnumpy.core.multiarray\n_reconstruct\nNNN\x87R(K\x01K\x02\x85'
    + KIND % b'f8'
    + b'\x89U\x01atb',
    'a storage without a key': b'(U\x07storagectorch\nFloatStorage\nNU\x03cpuK\x01tQ',
    'something else that is persistent': b'U\x01xQ',
}


@pytest.mark.parametrize('case', BAD)
def test_a_pickle_that_torch_does_not_write_is_refused(case: str, tmp_path: Path) -> None:
    for content in (zipped(pickled(BAD[case])), old(pickled(BAD[case]))):
        with pytest.raises(FacelmkError, match=r'x\.pth \(\d+ bytes\) cannot be read'):
            read_checkpoint(write(tmp_path / 'x.pth', content))


def dict_of(keys: Iterable[object]) -> bytes:
    """A pickled dict with such keys."""
    return b'\x80\x02}(' + b''.join(pickle.dumps(key, 2)[2:-1] + b'N' for key in keys) + b'u.'


@pytest.mark.parametrize(
    'keys',
    [
        [(i, i << 40) for i in range(3000)],
        [complex(i, i) for i in range(5000)],
        [i * SMALL_INT for i in range(1, 5000)],
        [frozenset({i, -i}) for i in range(5000)],
        [np.float64(i) for i in range(5000)],
    ],
)
def test_keys_that_may_collide_are_counted(keys: list) -> None:
    """Python hashes an integer modulo 2**61 - 1: a dict of 60,000 such keys takes minutes."""
    with pytest.raises(ValueError, match='keys'):
        load(dict_of(keys), 1 << 30)
    assert len(load(dict_of(keys[: MAX_ODD_KEYS // 4]))) == MAX_ODD_KEYS // 4
    load(pickle.dumps(keys[:1000], 2))  # a list compares nothing


def test_texts_and_small_numbers_may_be_keys() -> None:
    keys = [*range(10_000), *map(str, range(10_000)), 0.5, None, SMALL_INT - 1]
    assert list(load(dict_of(keys), 1 << 24)) == keys


def test_a_tuple_in_a_tuple_is_no_key() -> None:
    with pytest.raises(ValueError, match='keys'):
        load(dict_of([((1, 2), 3)]))


def test_a_large_memo_index_takes_no_memory() -> None:
    """C's unpickler allocates a table of 4 GB for it."""
    assert load(b'\x80\x02K\x01r\xff\xff\xff\x0f.') == 1


def test_a_frame_that_lies_is_ignored() -> None:
    assert load(b'\x80\x04\x95' + b'\xff' * 8 + b'K\x01.') == 1


@pytest.mark.parametrize('protocol', [2, 3, 4, 5])
def test_plain_data_of_each_protocol(protocol: int) -> None:
    given = {
        'a': [1, -2, 3 << 40, 0.5, None, True],
        'b': ('x', b'\0\xff', 'ü' * 300),
        'c': {1, 'y'},
        'd': (),
        'e': [[]] * 3,
    }
    given |= {'f': frozenset({1}), 'g': {i: str(i) for i in range(1000)}, 'h': complex(1, 2), 'i': -(1 << 200)}
    assert load(pickle.dumps(given, protocol)) == given


def test_what_python_2_wrote(tmp_path: Path) -> None:
    """Its texts and the bytes of its arrays are the same opcode."""
    raw = np.array([1.5, -2.0]).tobytes()
    array = name('numpy.core.multiarray', '_reconstruct') + name('numpy', 'ndarray') + b'K\x00\x85U\x01b\x87R'
    kind = name('numpy', 'dtype') + b'U\x02f8K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb'
    array += b'(K\x01K\x02\x85' + kind + b'\x89U' + bytes([len(raw)]) + raw + b'tb'
    pairs = name('collections', 'OrderedDict') + b'](](U\x06weight' + tensor(of=storage(old=True)) + b'ee\x85R'
    body = b'}(U\x0astate_dict' + pairs + b'U\x05scale' + array + b'u'
    found = read_checkpoint(write(tmp_path / 'x.pth', old(pickled(body), {'0': np.float32(3).tobytes()})))
    assert found['state_dict'] == {'weight': torch.tensor(3.0)} and found['scale'].tolist() == [1.5, -2.0]


@pytest.mark.parametrize('order', ['little', 'big'])
def test_numbers_of_another_byte_order(order: Literal['little', 'big'], tmp_path: Path) -> None:
    given = torch.tensor([1.5, -2.0])
    torch.save({'w': given}, tmp_path / 'a.pth')
    with zipfile.ZipFile(tmp_path / 'a.pth') as source, zipfile.ZipFile(tmp_path / 'x.pth', 'w') as target:
        for member in source.namelist():
            content = source.read(member)
            content = (
                given.numpy().astype('<f4' if order == 'little' else '>f4').tobytes() if '/data/' in member else content
            )
            target.writestr(member, order if member.endswith('byteorder') else content)
    assert torch.equal(read_checkpoint(tmp_path / 'x.pth')['w'], given)


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


@pytest.mark.parametrize('make', [lambda: deep(2 * MAX_DEPTH), ring, lambda: [doubled(30)], hidden])
def test_endless_nesting_is_refused(make: Callable[[], list]) -> None:
    with pytest.raises(ValueError, match=r'more than 100 deep|takes more than'):
        check_content(make(), 1000)
    check_content(deep(50), 1000)
    check_content([doubled(8)] * 3, 1000)


@pytest.mark.parametrize('given', [torch.zeros(1).expand(1 << 40), torch.zeros(1, 1).expand(1 << 15, 1 << 15)])
def test_weights_that_repeat_the_numbers_of_the_file_are_refused(given: torch.Tensor, tmp_path: Path) -> None:
    torch.save({'state_dict': {'w': given}}, tmp_path / 'x.pth')
    with pytest.raises(FacelmkError, match=r'x.pth .*its tensors claim \d+ bytes'):
        weights_of(read_checkpoint(tmp_path / 'x.pth'), tmp_path / 'x.pth')


def test_tensors_that_torch_cannot_compute_with_are_no_weights(tmp_path: Path) -> None:
    torch.save({'state_dict': {'w': torch.zeros((1,) * 64)[None]}}, tmp_path / 'x.pth')
    with pytest.raises(FacelmkError, match='x.pth .*65 dimensions'):
        read_checkpoint(tmp_path / 'x.pth')


def test_a_tar_that_begins_like_a_pickle_is_not_unpacked(tmp_path: Path) -> None:
    """torch would unpack it into a folder of its own, and read what is there."""
    with tarfile.open(tmp_path / 'x.pth', 'w', encoding='latin1') as archive:
        archive.addfile(tarfile.TarInfo('\x80\x02storages'))
    with pytest.raises(FacelmkError, match=r'x.pth .* is a .tar file'):
        read_checkpoint(tmp_path / 'x.pth')
