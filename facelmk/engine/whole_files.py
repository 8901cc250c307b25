"""Files that mmengine writes, whole or not at all."""
from pathlib import Path
from typing import BinaryIO

from mmengine.fileio import LocalBackend, register_backend

from .download import write_whole


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


register_backend('whole', WholeFiles, force=True)
