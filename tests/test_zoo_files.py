"""The weights under zoo/: each file is the one on its card and fits its config."""

import hashlib
from pathlib import Path

import pytest

from facelmk.checkpoint import load_checkpoint
from facelmk.config import load_config
from facelmk.registry import MODELS

ZOO = Path(__file__).parents[1] / 'zoo'


@pytest.mark.parametrize('path', sorted(ZOO.glob('*.pth')), ids=lambda path: path.stem)
def test_a_file_is_on_the_card_and_fits_its_config(path: Path) -> None:
    assert hashlib.sha256(path.read_bytes()).hexdigest() in (ZOO / 'README.md').read_text()
    load_checkpoint(MODELS.build(load_config(path.stem).model), path)
