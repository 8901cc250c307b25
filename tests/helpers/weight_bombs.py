"""Weight files of a given size that ask for as much memory or time as such a file can ask for."""

import io
import pickle
import struct
import zipfile
from collections.abc import Callable

from .weight_files import entry, name, number, old, pickled, safetensors, storage, tensor, text, zipped

REBUILD = name('torch._utils', '_rebuild_tensor_v2')
SMALL_INT = 2**61 - 1


def repeated(piece: bytes, size: int, before: bytes = b'](', after: bytes = b'e') -> bytes:
    """A zip whose pickle repeats some opcodes, by default to make items of a list."""
    return zipped(pickled(before + piece * (size // len(piece)) + after))


def counted(make: Callable[[int], bytes], size: int, before: bytes = b'](', after: bytes = b'e') -> bytes:
    """The same with opcodes that differ."""
    return zipped(pickled(before + b''.join(map(make, range(size // len(make(1000))))) + after))


def long(value: int) -> bytes:
    raw = value.to_bytes(value.bit_length() // 8 + 1, 'little', signed=True)
    return b'\x8a' + bytes([len(raw)]) + raw


def keys(make: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """A dict with such keys."""
    return lambda size: counted(lambda i: make(i) + b'N', size, b'}(', b'u')


def views(shape: bytes, stride: bytes, numbers: int) -> Callable[[int], bytes]:
    """A state_dict of views of one storage."""

    def make(size: int) -> bytes:
        piece = b'h\x02(h\x01K\x00' + shape + stride + b'\x89NtR'
        rows = b''.join(text(f'k{i:06}') + piece for i in range(size // (len(piece) + 12)))
        head = storage(count=numbers) + b'q\x010' + REBUILD + b'q\x020'
        return zipped(pickled(head + b'}(' + rows + b'u'), {'0': bytes(4 * numbers)})

    return make


def one_tensor_often(size: int) -> bytes:
    """One tensor of 16 MB, expanded from four bytes, under many names."""
    head = tensor(number(1 << 22) + b'\x85', b'K\x00\x85') + b'q\x010'
    rows = b''.join(text(f'{i:06}') + b'h\x01' for i in range(size // 13))
    return zipped(pickled(head + b'}(' + rows + b'u'))


def equal_long_keys(size: int) -> bytes:
    """Two equal texts of a third of the file: each look-up compares all their letters."""
    long_text = text('a' * (size // 3))
    return zipped(pickled(long_text + b'q\x000' + long_text + b'q\x010}h\x00Ns' + b'h\x01Ns' * (size // 12)))


def doubled(begin: bytes, double: Callable[[bytes, bytes], bytes], levels: int = 40) -> bytes:
    """An object that holds one twice, which holds one twice, and so on."""
    return (
        begin
        + b'q\x000'
        + b''.join(double(b'h' + bytes([i]), b'q' + bytes([i + 1]) + b'0') for i in range(levels))
        + b'h'
        + bytes([levels])
    )


def doubled_modules(size: int) -> bytes:
    module = name('m', 'M') + b')\x81}' + text('_modules') + b'}(' + text('a') + b'%b' + text('b') + b'%busb'
    leaf = name('m', 'M') + b')\x81}' + text('_buffers') + b'}' + text('w') + tensor() + b'ssb'
    return zipped(pickled(doubled(leaf, lambda inner, put: module.replace(b'%b', inner) + put)))


def members(size: int) -> bytes:
    return zipped(pickled(b'}'), {f'{i}': b'' for i in range(size // 120)})


def deflated(size: int) -> bytes:
    return zipped(pickled(b'}' * size * 4), compression=zipfile.ZIP_DEFLATED)


def same_bytes_often(size: int) -> bytes:
    """Members that all are the same place of the file."""
    file, number = io.BytesIO(), size // 200
    with zipfile.ZipFile(file, 'w') as archive:
        rows = b''.join(text(f'{i:05}') + tensor(of=storage(f'{i}', size // 8)) for i in range(200))
        archive.writestr('x/data.pkl', pickled(b'}(' + rows + b'u'))
        archive.writestr('x/data/0', bytes(size // 2))
        whole = archive.getinfo('x/data/0')
        for i in range(1, min(number, 200)):
            copy = zipfile.ZipInfo(f'x/data/{i}')
            for field in ('header_offset', 'CRC', 'compress_size', 'file_size'):
                setattr(copy, field, getattr(whole, field))
            archive.filelist.append(copy)
    return file.getvalue()


def histories(size: int) -> bytes:
    array = name('numpy.core.multiarray', '_reconstruct') + b'NNN\x87R'
    state = b'}(' + text('_log_history') + array + text('_count_history') + array + text('max_length') + b'K\x01u'
    piece = name('mmengine.logging.history_buffer', 'HistoryBuffer') + b'q\x000' + state + b'q\x010'
    return repeated(b'h\x00)\x81h\x01b', size, piece + b'](')


def header(size: int, piece: str, before: str = '{"a":[', after: str = ']}') -> bytes:
    return safetensors(before + piece * (size // len(piece)) + piece.rstrip(',') + after)


def empty_tensors(size: int) -> bytes:
    return safetensors({f'{i}': entry(0, 0, 0) for i in range(size // 55)})


def metadata(size: int) -> bytes:
    return safetensors({'__metadata__': {f'{i}': '' for i in range(size // 13)}})


def numbers_of(size: int, dtype: str, width: int) -> bytes:
    count = size // width
    return safetensors({'w': entry(0, count * width, count, dtype=dtype)}, bytes(count * width))


def old_storages(size: int) -> bytes:
    rows = {f'{i}': bytes(4) for i in range(size // 130)}
    body = b''.join(text(key) + tensor(b'K\x01\x85', b'K\x01\x85', of=storage(key, old=True)) for key in rows)
    return old(pickled(b'}(' + body + b'u'), rows)


def transposed(size: int) -> bytes:
    side = int((size / 4) ** 0.5)
    shape, stride = number(side) * 2 + b'\x86', b'K\x01' + number(side) + b'\x86'
    body = text('w') + tensor(shape, stride, of=storage(count=side * side))
    return zipped(pickled(b'}' + body + b's'), {'0': bytes(4 * side * side)})


def lying_table(size: int) -> bytes:
    """A zip that claims one member and has many in its table of contents."""
    content = bytearray(zipped(pickled(b'}'), {f'{i}': b'' for i in range(size // 120)}))
    content[-14:-10] = struct.pack('<HH', 1, 1)
    return bytes(content)


def filled_often(size: int) -> bytes:
    """An old file whose list of storages names an empty one again and again."""
    times = size // 42
    keys = b'\x80\x02](' + text('0') + b'q\x00' + b'h\x00' * times + b'e.'
    body = pickled(tensor(b'K\x00\x85', b'K\x01\x85', of=storage('0', 0, old=True)))
    return old(body, {}, keys=[])[: -len(pickle.dumps([], 2))] + keys + bytes(8 * times + 8)


def long_module_names(size: int) -> bytes:
    module = name('m', 'M') + b')\x81}' + text('_modules') + b'}h\xf0%bssb'
    leaf = name('m', 'M') + b')\x81}' + text('_buffers') + b'}' + text('w') + tensor() + b'ssb'
    nested = doubled(leaf, lambda inner, put: module.replace(b'%b', inner) + put, 90)
    return zipped(pickled(text('a' * size) + b'q\xf00' + nested))


NUMPY = name('numpy.core.multiarray', '_reconstruct') + b'NNN\x87R'
DOUBLE_TUPLE = doubled(b'K\x01', lambda inner, put: inner * 2 + b'\x86' + put)
DOUBLE_LIST = doubled(b'K\x01', lambda inner, put: b'](' + inner * 2 + b'e' + put)
LOG = name('mmengine.logging.history_buffer', 'HistoryBuffer') + b')\x81}('
LOG += text('_log_history') + b'h\x28' + text('_count_history') + b'h\x28' + text('max_length') + b'K\x01ub'
LETTER = name('numpy', 'dtype') + text('S1') + b'\x85R'
TUPLE = b'(' + b'K\x01' * 2000 + b'tq\x000'
LIST = b'](' + b'K\x01' * 2000 + b'eq\x000'
BOMBS: dict[str, Callable[[int], bytes]] = {
    'nested tuples': lambda size: repeated(b'\x85', size, b')', b''),
    'nested lists': lambda size: zipped(pickled(b']' * (size // 2) + b'a' * (size // 2 - 1))),
    'empty dicts': lambda size: repeated(b'}', size),
    'empty lists': lambda size: repeated(b']', size),
    'empty sets': lambda size: repeated(b'\x8f', size),
    'None': lambda size: repeated(b'N', size),
    'floats': lambda size: repeated(b'G' + bytes(8), size),
    'large integers': lambda size: repeated(b'\x8a\xff' + b'\x7f' * 255, size),
    'marks': lambda size: repeated(b'(', size, b'', b''),
    'puts': lambda size: counted(lambda i: b'r' + struct.pack('<I', i << 8), size, b'N', b''),
    'texts': lambda size: counted(lambda i: text(f'{i:06}'), size),
    'a text of wide letters': lambda size: zipped(pickled(text('a' * size + '\U0001f600'))),
    'a text that is not UTF-8': lambda size: zipped(pickled(b'X' + struct.pack('<I', size) + b'\xff' * size)),
    'small dicts': lambda size: repeated(b'}K\x01Ns', size),
    'one dict': keys(number),
    'classes': lambda size: counted(lambda i: name('m', f'C{i:06}'), size),
    'objects': lambda size: repeated(b'h\x00)\x81}b', size, name('m', 'C') + b'q\x000]('),
    'colliding integers': keys(lambda i: long(i * SMALL_INT)),
    'colliding tuples': keys(lambda i: b'K\x01' + long(i * SMALL_INT) + b'\x86'),
    'colliding complex numbers': keys(
        lambda i: name('builtins', 'complex') + b'G' + struct.pack('>d', i) * 1 + b'K\x00\x86R'
    ),
    'colliding sets': keys(lambda i: b'(' + long(i * SMALL_INT) + b'\x91'),
    'a long tuple as a key again and again': lambda size: repeated(b'h\x00Ns', size, TUPLE + b'}', b''),
    'an array of a nested shape': lambda size: zipped(
        pickled(DOUBLE_TUPLE + b'0' + NUMPY + b'(K\x01h\x28\x85' + LETTER + b'\x89' + text('a') + b'tb')
    ),
    'an array of a shape that repeats itself': lambda size: zipped(
        pickled(b')' + NUMPY + b'(K\x01)\x85\x85' + LETTER.replace(b'S1', b'S9') + b'\x89' + text('a') + b'tb')
    ),
    'a tensor of a nested shape': lambda size: zipped(pickled(DOUBLE_TUPLE + b'0' + tensor(b'h\x28', b'h\x28'))),
    'a dtype of a long list': lambda size: repeated(
        b'h\x01h\x00\x85R', size, LIST + b']h\x00aq\x000' + name('numpy', 'dtype') + b'q\x010]('
    ),
    'a log of nested lists': lambda size: zipped(pickled(DOUBLE_LIST + b'0' + LOG)),
    'counts of nested tuples': lambda size: zipped(
        pickled(DOUBLE_TUPLE + b'0' + name('collections', 'Counter') + b']h\x28a\x85R')
    ),
    'a dict of nested tuples': lambda size: zipped(
        pickled(DOUBLE_TUPLE + b'0' + name('builtins', 'dict') + b']h\x28N\x86a\x85R')
    ),
    'a set of nested tuples': lambda size: zipped(pickled(DOUBLE_TUPLE + b'0\x8f(h\x28\x90')),
    'modules of long names': long_module_names,
    'a table with more members than it claims': lying_table,
    'a storage that is filled again and again': filled_often,
    'a nested tuple as a key': lambda size: zipped(
        pickled(doubled(b')', lambda inner, put: inner * 2 + b'\x86' + put) + b'q\xff0}h\xffNs')
    ),
    'equal long keys': equal_long_keys,
    'copies of a list': lambda size: repeated(b'h\x01h\x00\x85R', size, LIST + name('builtins', 'list') + b'q\x010]('),
    'sets of a list': lambda size: repeated(b'h\x01h\x00\x85R', size, LIST + name('builtins', 'set') + b'q\x010]('),
    'copies of a text': lambda size: repeated(
        b'h\x01h\x00\x85R', size // 2, text('a' * (size // 2)) + b'q\x000' + name('_codecs', 'encode') + b'q\x010]('
    ),
    'dicts of pairs': lambda size: repeated(
        b'h\x01h\x00\x85R', size, b'](' + b'K\x01N\x86' * 2000 + b'eq\x000' + name('builtins', 'dict') + b'q\x010]('
    ),
    'a rebuilt call in a rebuilt call': lambda size: repeated(
        b'N\x87q\x01R', size, name('torch._tensor', '_rebuild_from_type_v2') + b')NN', b''
    ),
    'logs': histories,
    'views of one number': views(b')', b')', 1),
    'views of all numbers': views(number(50_000) + b'\x85', b'K\x01\x85', 50_000),
    'views of 64 dimensions': views(b'(' + b'K\x01' * 64 + b't', b'(' + b'K\x01' * 64 + b't', 1),
    'one expanded tensor under many names': one_tensor_often,
    'a tensor of 2^100 numbers': lambda size: zipped(
        pickled(b'}' + text('w') + tensor(b'(' + long(1 << 50) * 2 + b't', b'K\x00K\x00\x86') + b's')
    ),
    'a transposed tensor': transposed,
    'names of 1 MB': lambda size: counted(
        lambda i: text(f'{i:09}' + 'a.' * (size // 25)) + tensor(), size, b'}(', b'u'
    ),
    'modules that hold one twice': doubled_modules,
    'lists that hold one twice': lambda size: zipped(
        pickled(doubled(b']', lambda inner, put: b'](' + inner * 2 + b'e' + put))
    ),
    'members of a zip': members,
    'a packed pickle': deflated,
    'members in one place': same_bytes_often,
    'storages of an old file': old_storages,
    'lists in a header': lambda size: header(size, '[],'),
    'numbers in a header': lambda size: header(size, '1,'),
    'one number in a header': lambda size: header(size, '1'),
    'empty tensors of safetensors': empty_tensors,
    'metadata of safetensors': metadata,
    'a header of wide letters': lambda size: safetensors('{"__metadata__":{"a":"' + 'a' * size + '\U0001f600"}}'),
    'complex numbers': lambda size: zipped(
        pickled(
            b'}'
            + text('w')
            + tensor(number(size // 8) + b'\x85', b'K\x01\x85', of=storage('0', size // 8, 'ComplexFloatStorage'))
            + b's'
        ),
        {'0': bytes(size // 8 * 8)},
    ),
    'numbers of 16 bits': lambda size: numbers_of(size, 'F16', 2),
    'numbers of 64 bits': lambda size: numbers_of(size, 'F64', 8),
}
