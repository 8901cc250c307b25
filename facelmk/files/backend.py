"""Files that mmengine writes for us, by atomic writes: mmengine 0.10.7 overwrites a file in place."""

import os
from pathlib import Path

from mmengine import Config
from mmengine.fileio import LocalBackend, register_backend

from .atomic import write_bytes


class AtomicFiles(LocalBackend):
    """mmengine's local files: its checkpoints, json files and dumped results."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        write_bytes(Path(filepath), obj)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        self.put(obj.encode(encoding), filepath)


class AtomicConfig(Config):
    """A config whose `dump`, by which the Runner records it in the work folder, is an atomic write.

    The Runner asks for its text at each save. mmengine would format it each time, which takes up to 2 s.
    """

    @property
    def pretty_text(self) -> str:
        """The config as Python; formatted again only after a change."""
        values = repr(self._cfg_dict)
        if self.__dict__.get('_formatted', ('',))[0] != values:
            self.__dict__['_formatted'] = values, super().pretty_text
        return self.__dict__['_formatted'][1]

    @classmethod
    def of(cls, config: Config) -> 'AtomicConfig':
        """Return the same config with this `dump`."""
        new = cls.__new__(cls)
        new.__dict__.update(config.__dict__)
        return new

    def dump(self, file: str | Path | None = None) -> str | None:
        """Write the config to a file, or return it as text; the file that it was read from stays as it is."""
        if file is not None and self.filename and os.path.exists(file) and os.path.samefile(file, self.filename):
            return None  # a config in its own work folder: a test would remove its `load_from`, and its comments
        if file is None or Path(file).suffix != '.py':
            return super().dump(file)
        write_bytes(Path(file), self.pretty_text.encode())
        return None


register_backend('local', AtomicFiles, force=True, prefixes='')
register_backend('atomic', AtomicFiles, force=True)  # its name in facelmk 0.2
