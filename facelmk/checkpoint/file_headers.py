"""What a weight file is, told from its first bytes and its table of contents, before anything of it is read."""

import tarfile
import zipfile
from typing import BinaryIO

import torch

RATIO = 10  # torch packs nothing; what grows more than this while it is unpacked is no set of weights
ENTRIES = 200_000  # of a zip: a tensor each
_ZIP, _PICKLE = b'PK', b'\x80'


def refuse(file: BinaryIO) -> None:
    """Raise ValueError with the reason if the file cannot be a checkpoint of torch, or would fill the memory."""
    start = file.read(64)
    if not start:
        raise ValueError('it is empty')
    if start.startswith(_ZIP):
        _refuse_zip(file)
    elif _is_tar(file):
        raise ValueError(
            'it is a .tar file, of PyTorch before 0.1.12 at best, and torch would unpack it. Save the '
            'state_dict of the network with torch.save'
        )
    elif not start.startswith(_PICKLE):
        raise ValueError(f'it is no checkpoint, it begins with {start[:24]!r}{_web_page(start)}')


def _refuse_zip(file: BinaryIO) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError) as error:
        raise ValueError('it begins as a zip and its end is missing') from error
    size, unpacked = file.seek(0, 2), sum(entry.file_size for entry in entries)
    if len(entries) > ENTRIES:
        raise ValueError(f'it claims {len(entries)} entries, at most {ENTRIES} are read')
    if unpacked > RATIO * size:
        raise ValueError(f'it claims {unpacked} bytes, unpacked from {size}, which is no set of weights')
    file.seek(0)
    if 'constants.pkl' in torch._C.PyTorchFileReader(file).get_all_records():  # as torch itself tells them apart
        raise ValueError(
            'it is TorchScript, a program, and torch would run it. Save the state_dict of the network with torch.save'
        )


def _is_tar(file: BinaryIO) -> bool:
    """What PyTorch before 0.1.12 wrote, and what torch takes for it."""
    file.seek(0)
    try:
        with tarfile.open(fileobj=file, mode='r:'):
            return True
    except tarfile.TarError:
        return False


def _web_page(start: bytes) -> str:
    return ' (a web page: its address was not that of the file)' if start.lstrip()[:1] == b'<' else ''
