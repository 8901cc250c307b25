"""An empty cache for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from facelmk.files import download


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of downloads in an empty cache; no proxies, no pauses between tries."""
    for name in ('FACELMK_MIRROR', 'FACELMK_OFFLINE', 'http_proxy', 'https_proxy', 'all_proxy'):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv('FACELMK_HOME', str(tmp_path / 'home'))
    monkeypatch.setattr(download, 'PAUSE_S', 0.0)
    yield tmp_path / 'home' / 'downloads'
