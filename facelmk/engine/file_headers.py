"""What a weight file is, told from its first bytes and its table of contents, before anything of it is read."""
import zipfile
from pathlib import Path

RATIO = 10  # torch packs nothing; what grows more than this while it is unpacked is no set of weights
ENTRIES = 200_000  # of a zip: a tensor each
_ZIP, _PICKLE = b'PK', b'\x80'


def refuse(path: Path) -> None:
    """Raise ValueError with the reason if the file cannot be a checkpoint of torch, or would fill the memory."""
    with path.open('rb') as file:
        start = file.read(64)
    if not start:
        raise ValueError('it is empty')
    if start.startswith(_ZIP):
        _refuse_zip(path)
    elif not start.startswith(_PICKLE) and not _is_tar(path):
        raise ValueError(f'it is no checkpoint, it begins with {start[:24]!r}{_web_page(start)}')


def _refuse_zip(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError) as error:
        raise ValueError('it begins as a zip and its end is missing') from error
    size, unpacked = path.stat().st_size, sum(entry.file_size for entry in entries)
    if len(entries) > ENTRIES:
        raise ValueError(f'it claims {len(entries)} entries, at most {ENTRIES} are read')
    if unpacked > RATIO * size:
        raise ValueError(f'it claims {unpacked} bytes, unpacked from {size}, which is no set of weights')


def _is_tar(path: Path) -> bool:
    """What PyTorch before 0.1.12 wrote; it is refused elsewhere, by its name."""
    with path.open('rb') as file:
        return file.read(262)[257:] == b'ustar'


def _web_page(start: bytes) -> str:
    return ' (a web page: its address was not that of the file)' if start.lstrip()[:1] == b'<' else ''
