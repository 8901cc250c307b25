"""The config in a checkpoint: training writes its text into the file, so that the file alone is a model."""

from pathlib import Path
from typing import Any, NamedTuple

from mmengine import Config

from ..checkpoint import find_checkpoint, meta_of, read_checkpoint
from ..config import config_of_text
from ..errors import FacelmkError


class OpenedCheckpoint(NamedTuple):
    """A checkpoint that has been read once, for its config and for its weights."""

    path: Path
    content: dict[str, Any]

    def config(self, advice: str) -> Config:
        """Return the config whose text the checkpoint holds, as mmengine writes it; no code in it runs.

        `advice` is the sentence that an error gives: what to do with a file whose config is missing or unusable.
        """
        meta = meta_of(self.content)
        text = meta.get('cfg') or meta.get('config')  # the key of MMPose before 1.0
        if not isinstance(text, str) or not text.strip():
            raise FacelmkError(
                f'{self.path} holds weights, but no config (meta.cfg), so the network is unknown. {advice}'
            )
        try:
            return config_of_text(text, self.path)
        except FacelmkError as error:
            raise FacelmkError(
                f'the config in {self.path} cannot be used. It is read like a file with --safe-config, so that no code '
                f'in it runs. {advice}. The reason: {error}'
            ) from error


def open_checkpoint(source: str | Path) -> OpenedCheckpoint:
    """Return the checkpoint at a path or URL, read as data."""
    path = find_checkpoint(source)
    return OpenedCheckpoint(path, read_checkpoint(path))
