"""Files that mmengine writes, whole or not at all."""
import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from mmengine.fileio import LocalBackend, register_backend

from ..registry import TrainingFault
from .download import write_whole

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)


class WholeFiles(LocalBackend):
    """Writes a file so that a reader sees the old one or the new one; mmengine 0.10.7 writes over it."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        write_bytes(Path(filepath), obj)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        self.put(obj.encode(encoding), filepath)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old one or the new one."""
    def write(file: BinaryIO) -> None:
        file.write(data)
    write_whole(path, write)


@contextmanager
def telling_lost_folder(folder: str | Path) -> Iterator[None]:
    """Tell a folder that can no longer be written to, by logs too, as a fault of the training."""
    try:
        yield
    except OSError as error:
        inside = error.filename is not None and Path(folder).absolute() in Path(str(error.filename)).absolute().parents
        if not inside and error.errno not in _NO_ROOM:
            raise
        raise TrainingFault(f'{folder} can no longer be written to ({error}). Make room there, or see whether it was '
                            'moved, deleted or unmounted; then go on with --resume') from error


register_backend('whole', WholeFiles, force=True)
