"""The weights of the zoo: each file is on its card and fits its config."""

import hashlib
from pathlib import Path

import pytest

from facelmk.checkpoint import load_checkpoint
from facelmk.config import load_config
from facelmk.registry import MODELS
from facelmk.zoo import find_model
from facelmk.zoo.index import rows

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize('name', [name for name, row in rows().items() if row.get('file')])
def test_a_file_is_on_the_card_and_fits_its_config(name: str) -> None:
    model = find_model(name)
    assert model.path == ROOT / model.file
    assert hashlib.sha256(model.path.read_bytes()).hexdigest() in (ROOT / 'zoo/README.md').read_text()
    load_checkpoint(MODELS.build(load_config(model.config).model), model.path)
