"""The two containers of torch: a zip of one pickle and stored numbers; in old files, pickles and the numbers behind.

This is the only code that parses them: what it checks is what it reads.
"""

import mmap
import struct
import sys
import zipfile
from typing import Any, BinaryIO

import torch

from ..files.zip_end import check_zip_end
from .limits import Budget
from .unpickle import Unpickler

STORAGE_COST, TABLE_COST = 500, 10  # bytes, as in `limits`; a byte of the table costs 10, a member 46 bytes or more
MAGIC_NUMBER = 0x1950A86A20F9469CFC6C  # the first pickle of an old file
_AS_STATE_DICT = 'Save the state_dict of the network with torch.save'


def read_torch_file(file: BinaryIO, size: int, numbers: bool = True) -> Any:
    """Return what torch.save wrote; raise ValueError if it is something else, is damaged or asks for too much.

    Without `numbers`, the tensors are on torch's device `meta`: they have a shape and no content.
    """
    file.seek(0)
    start = file.read(262)
    if not start:
        raise ValueError('it is empty')
    if start.startswith(b'PK'):
        return _ZipFile(file, size, numbers).read()
    if start.endswith(b'ustar'):
        raise ValueError(f'it is a .tar file, which torch would unpack. {_AS_STATE_DICT}')
    if not start.startswith(b'\x80'):
        page = ' (a web page: its address was not that of the file)' if start.lstrip()[:1] == b'<' else ''
        raise ValueError(f'it is no checkpoint, it begins with {start[:24]!r}{page}')
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return _OldFile(file, content, size, numbers).read()


def read_numbers(file: BinaryIO, offset: int, length: int) -> torch.Tensor:
    """Return bytes of the file as a tensor, without a second copy of them."""
    numbers = torch.empty(length, dtype=torch.uint8)
    file.seek(offset)
    if length and file.readinto(numbers.numpy()) != length:  # type: ignore[attr-defined]
        raise ValueError(f'it is cut off: {length} bytes should be at byte {offset}')
    return numbers


def _swap_bytes(storage: torch.UntypedStorage, dtype: torch.dtype) -> None:
    if dtype.itemsize > 1:
        storage.byteswap(dtype)


class _ZipFile:
    """A zip as torch writes it: nothing is compressed, and no two members have one name."""

    def __init__(self, file: BinaryIO, size: int, numbers: bool) -> None:
        self.file, self.budget, self.numbers = file, Budget(size), numbers
        self.storages: dict[str, torch.UntypedStorage] = {}
        number, table_bytes = check_zip_end(file, size)
        self.budget.spend(TABLE_COST * table_bytes)
        try:
            with zipfile.ZipFile(file) as archive:
                members = archive.infolist()
        except (zipfile.BadZipFile, EOFError, OverflowError, RuntimeError) as error:
            raise ValueError(f'its table of contents is damaged: {error}') from error
        self.members = {member.filename: member for member in members}
        if not len(self.members) == len(members) == number:
            raise ValueError(f'it claims {number} members and has {len(self.members)} names')
        if any(name.endswith('constants.pkl') for name in self.members):
            raise ValueError(f'it is TorchScript, a program, and torch would run it. {_AS_STATE_DICT}')
        unpacked = sum(member.file_size for member in members)
        if unpacked > size or any(member.compress_type or member.flag_bits & 1 for member in members):
            raise ValueError(
                f'it has {unpacked} bytes, unpacked from {size}, or its members are packed. torch packs nothing: '
                'unpack it and save it again with torch.save'
            )

    def read(self) -> Any:
        """Unpickle the one pickle."""
        pickles = [name for name in self.members if name.endswith('.pkl')]
        if len(pickles) != 1 or not pickles[0].endswith('/data.pkl'):
            raise ValueError(f'it has {len(pickles)} pickles. Expected one, data.pkl, in a folder. {_AS_STATE_DICT}')
        self.prefix = pickles[0].removesuffix('data.pkl')
        order = self.prefix + 'byteorder'
        self.swapped = order in self.members and self.content(order).decode() != sys.byteorder
        return Unpickler(self.content(pickles[0]), self.budget, self.storage).load()

    def content(self, name: str) -> bytes:
        """The bytes of a member."""
        offset, length = self.place(name)
        self.file.seek(offset)
        return self.file.read(length)

    def place(self, name: str) -> tuple[int, int]:
        """The first byte of a member's content, and how many there are."""
        if name not in self.members:
            raise ValueError('its pickle names numbers that the file does not hold')
        member = self.members[name]
        self.file.seek(member.header_offset)
        header = self.file.read(30)
        if len(header) < 30 or not header.startswith(b'PK\3\4'):
            raise ValueError('its table of contents names places where no member begins')
        names = sum(struct.unpack('<HH', header[26:]))
        return member.header_offset + 30 + names, member.file_size

    def storage(self, key: str, dtype: torch.dtype, count: int) -> torch.UntypedStorage:
        """The storage of a key."""
        if key not in self.storages:
            self.budget.spend(STORAGE_COST)
            offset, length = self.place(f'{self.prefix}data/{key}')
            numbers = (
                read_numbers(self.file, offset, length)
                if self.numbers
                else torch.empty(length, dtype=torch.uint8, device='meta')
            )
            self.storages[key] = numbers.untyped_storage()
            if self.swapped and self.numbers:
                _swap_bytes(self.storages[key], dtype)
        if self.storages[key].nbytes() != count * dtype.itemsize:
            raise ValueError(f'its pickle claims {count * dtype.itemsize} bytes for a tensor, others are there')
        return self.storages[key]


class _OldFile:
    """What torch wrote before 1.6: five pickles, then the numbers of each storage behind how many they are."""

    def __init__(self, file: BinaryIO, content: mmap.mmap, size: int, numbers: bool) -> None:
        self.numbers = numbers
        self.file, self.content, self.budget, self.size, self.offset = file, content, Budget(size), size, 0
        self.storages: dict[str, tuple[torch.UntypedStorage, torch.dtype]] = {}
        self.claimed = 0

    def unpickle(self) -> Any:
        """The next pickle."""
        reader = Unpickler(self.content, self.budget, self.storage, self.offset)
        value, self.offset = reader.load(), reader.offset
        return value

    def read(self) -> Any:
        """Unpickle the data, then fill the storages."""
        magic, _, system = self.unpickle(), self.unpickle(), self.unpickle()
        if magic != MAGIC_NUMBER or not isinstance(system, dict):
            raise ValueError(f'it is a pickle, but not one of torch. {_AS_STATE_DICT}')
        value, keys = self.unpickle(), self.unpickle()
        if not isinstance(keys, list) or sorted(keys) != sorted(self.storages):
            raise ValueError('its list of numbers is not that of its tensors')
        if not self.numbers:
            return value
        for key in keys:
            self.fill(*self.storages[key])
        if system.get('little_endian', True) is not (sys.byteorder == 'little'):
            for storage in self.storages.values():
                _swap_bytes(*storage)
        return value

    def storage(self, key: str, dtype: torch.dtype, count: int) -> torch.UntypedStorage:
        """The storage of a key, which is filled later."""
        if key not in self.storages:
            self.budget.spend(STORAGE_COST)
            self.claimed += count * dtype.itemsize
            if not count >= 0 or self.claimed > self.size:
                raise ValueError(f'its tensors claim {self.claimed} bytes, {self.size} are there')
            device = 'cpu' if self.numbers else 'meta'
            empty = torch.empty(count * dtype.itemsize, dtype=torch.uint8, device=device)
            self.storages[key] = empty.untyped_storage(), dtype
        storage, known = self.storages[key]
        if storage.nbytes() != count * dtype.itemsize:
            raise ValueError(f'its pickle gives a storage {count} numbers of {dtype} and others of {known}')
        return storage

    def fill(self, storage: torch.UntypedStorage, dtype: torch.dtype) -> None:
        """Copy the numbers that come next."""
        (count,) = struct.unpack_from('<q', self.content, self.offset)
        if count * dtype.itemsize != storage.nbytes():
            raise ValueError(f'its pickle claims {storage.nbytes()} bytes for a tensor, {count} numbers are there')
        numbers = read_numbers(self.file, self.offset + 8, storage.nbytes())
        torch.empty(0, dtype=torch.uint8).set_(storage).copy_(numbers)
        self.offset += 8 + storage.nbytes()
