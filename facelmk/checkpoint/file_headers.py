"""Check a checkpoint file before torch opens it: its first bytes, its table of contents, the opcodes of its pickles."""

import mmap
import struct
import tarfile
import zipfile
from typing import IO, BinaryIO, cast

from .opcodes import scan_pickle

MAX_RATIO = 10  # torch compresses nothing; what grows more than this while it is unpacked is no set of weights
MAX_ZIP_ENTRIES = 50_000  # one a tensor
_ZIP, _PICKLE = b'PK', b'\x80'
_LEGACY_PICKLES = 5  # a magic number, the version, the system, the data, the keys of the storages that follow


def check_file(file: BinaryIO) -> set[str]:
    """Return the names ('module name') in the pickles of a checkpoint that torch wrote.

    Raises ValueError with the reason if it is none, or if reading it could fill the memory or take too long.
    """
    start = file.read(64)
    if not start:
        raise ValueError('it is empty')
    if start.startswith(_ZIP):
        return _check_zip(file)
    file.seek(0)
    if tarfile.is_tarfile(file):
        raise ValueError(
            'it is a .tar file, which PyTorch before 0.1.12 wrote and torch would unpack. Save the state_dict of the '
            'network with torch.save'
        )
    if not start.startswith(_PICKLE):
        raise ValueError(f'it is no checkpoint, it begins with {start[:24]!r}{_web_page(start)}')
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
            _check_zip_entries(entries, number, size)
            pickles = [archive.read(entry) for entry in entries if entry.filename.lower().endswith('.pkl')]
    except (zipfile.BadZipFile, EOFError, OverflowError, RuntimeError) as error:
        raise ValueError(f'its table of contents is damaged: {error}') from error
    return set().union(*map(scan_pickle, pickles))


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


def _check_zip_entries(entries: list[zipfile.ZipInfo], number: int, size: int) -> None:
    if len(entries) != number:
        raise ValueError(f'it claims {number} entries and has {len(entries)}')
    if (unpacked := sum(entry.file_size for entry in entries)) > MAX_RATIO * size:
        raise ValueError(f'it claims {unpacked} bytes, unpacked from {size}, which is no set of weights')
    if any(entry.filename.lower().endswith('constants.pkl') for entry in entries):
        raise ValueError(
            'it is TorchScript, a program, and torch would run it. Save the state_dict of the network with torch.save'
        )


def _web_page(start: bytes) -> str:
    return ' (a web page: its address was not that of the file)' if start.lstrip()[:1] == b'<' else ''
