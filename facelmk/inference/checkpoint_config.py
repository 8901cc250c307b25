"""The config in a checkpoint: training writes its text into the file, so that the file alone is a model."""

from pathlib import Path

from mmengine import Config

from ..checkpoint import meta_of, read_checkpoint
from ..config import config_of_text
from ..errors import FacelmkError


def config_in_checkpoint(path: Path, advice: str) -> Config:
    """Return the config whose text a checkpoint holds, as mmengine writes it; no code in it runs.

    `advice` is the sentence that an error gives: what to do with a file whose config is missing or cannot be used.
    """
    meta = meta_of(read_checkpoint(path))
    text = meta.get('cfg') or meta.get('config')  # the key of MMPose before 1.0
    if not isinstance(text, str) or not text.strip():
        raise FacelmkError(f'{path} holds weights, but no config (meta.cfg), so the network is unknown. {advice}')
    try:
        return config_of_text(text, path)
    except FacelmkError as error:
        raise FacelmkError(
            f'the config in {path} cannot be used. It is read like a file with --safe-config, so that no code in it '
            f'runs. {advice}. The reason: {error}'
        ) from error
