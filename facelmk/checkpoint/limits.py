"""What a checkpoint file may hold: checked before torch opens it and again when it is loaded."""

import mmap
import struct
import tarfile
import zipfile
from collections.abc import Collection
from typing import IO, Any, BinaryIO, cast

import torch
from torch import Tensor

from .opcodes import scan_pickle
from .unpickle import Stub

MAX_RATIO = 10  # torch compresses nothing; what grows more than this while it is unpacked is no set of weights
MAX_ZIP_ENTRIES = 50_000  # one a tensor
MAX_DEPTH = 100  # of containers in one another
MAX_ITEMS = 10_000_000  # of all containers; a container that is reached twice counts twice
_CONTAINER_COST = 10  # items
MAX_DIMENSIONS = 64  # torch computes with no more
MAX_REPEATED_BYTES = 1 << 24  # of tensors that show a few numbers of the file again and again
_LEGACY_PICKLES = 5  # a magic number, the version, the system, the data, the keys of the storages that follow
_AS_STATE_DICT = 'Save the state_dict of the network with torch.save'


def check_file(file: BinaryIO) -> set[str]:
    """Return the names ('module name') in the pickles of a checkpoint that torch wrote.

    Raises ValueError with the reason if it is none, or if reading it could fill the memory or take too long.
    """
    start = file.read(64)
    if not start:
        raise ValueError('it is empty')
    if start.startswith(b'PK'):
        return _check_zip(file)
    file.seek(0)
    if tarfile.is_tarfile(file):
        raise ValueError(f'it is a .tar file, which torch would unpack. {_AS_STATE_DICT}')
    if not start.startswith(b'\x80'):
        page = ' (a web page: its address was not that of the file)' if start.lstrip()[:1] == b'<' else ''
        raise ValueError(f'it is no checkpoint, it begins with {start[:24]!r}{page}')
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return set().union(*(scan_pickle(cast(IO[bytes], content)) for _ in range(_LEGACY_PICKLES)))


def _check_zip(file: BinaryIO) -> set[str]:
    size = file.seek(0, 2)
    number = _check_zip_end(file, size)
    if number > MAX_ZIP_ENTRIES:
        raise ValueError(f'it claims {number} entries, at most {MAX_ZIP_ENTRIES} are read')
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            if len(entries) != number:
                raise ValueError(f'it claims {number} entries and has {len(entries)}')
            if (unpacked := sum(entry.file_size for entry in entries)) > MAX_RATIO * size:
                raise ValueError(f'it claims {unpacked} bytes, unpacked from {size}, which is no set of weights')
            pickles = [entry for entry in entries if entry.filename.lower().endswith('.pkl')]
            if any(entry.filename.lower().endswith('constants.pkl') for entry in pickles):
                raise ValueError(f'it is TorchScript, a program, and torch would run it. {_AS_STATE_DICT}')
            return set().union(*(scan_pickle(archive.read(entry)) for entry in pickles))
    except (zipfile.BadZipFile, EOFError, OverflowError, RuntimeError) as error:
        raise ValueError(f'its table of contents is damaged: {error}') from error


def _check_zip_end(file: BinaryIO, size: int) -> int:
    """Return the number of entries; refuse a file in which zipfile and torch could find two tables of contents.

    The table must end where the records behind it begin, and these must end the file, as torch writes them.
    """
    file.seek(max(size - 98, 0))
    tail = file.read().rjust(98, b'\0')
    if tail[-22:-18] != b'PK\5\6' or tail[-2:] != b'\0\0':
        raise ValueError('it begins as a zip and its end is missing')
    number, table_bytes, table_offset = struct.unpack('<HLL', tail[-12:-2])
    table_end = size - 22
    if tail[-42:-38] == b'PK\6\7':  # the 64-bit end record and its locator
        table_end = size - 98
        number, table_bytes, table_offset = struct.unpack('<QQQ', tail[32:56])
        if tail[:4] != b'PK\6\6' or struct.unpack('<Q', tail[-34:-26])[0] != table_end:
            raise ValueError('its 64-bit end record is not where it should be')
    if table_offset + table_bytes != table_end:
        raise ValueError('its table of contents does not end where its end record begins')
    return number


def check_loaded(value: Any, file_bytes: int) -> None:
    """Raise ValueError for nesting that no walk ends in, and for tensors that the file cannot hold."""
    waiting, items, shown = [(value, 0)], 0, 0
    storages: dict[int, int] = {}
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, Tensor):
            if item.dim() > MAX_DIMENSIONS or item.is_quantized or item.layout is not torch.strided:
                raise ValueError(
                    f'a tensor in it is {item.dtype}, {item.layout} and has {item.dim()} dimensions. Expected a '
                    f'strided one of at most {MAX_DIMENSIONS} that is not quantized'
                )
            storage = item.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
            shown += item.nbytes
            continue
        children = _children(item)
        items += len(children) + _CONTAINER_COST
        if depth > MAX_DEPTH or items > MAX_ITEMS:
            raise ValueError(
                f'its lists and dicts lie more than {MAX_DEPTH} deep in one another, or hold one another so often '
                f'that they have more than {MAX_ITEMS} items'
            )
        waiting += [(child, depth + 1) for child in children if isinstance(child, (dict, list, tuple, Stub, Tensor))]
    present = sum(storages.values())
    for claimed, there in ((present, file_bytes), (shown - MAX_REPEATED_BYTES, present)):
        if claimed > MAX_RATIO * there:
            raise ValueError(f'its tensors claim {claimed} bytes, {there} are there')


def _children(container: Any) -> Collection[Any]:
    """The items of a container; of a network that was pickled whole, its parts and tensors."""
    if isinstance(container, Stub):
        return [value for group in ('_modules', '_parameters', '_buffers') for value in container.part(group).values()]
    if isinstance(container, dict):
        return container.values()
    return container if isinstance(container, (list, tuple)) else ()
