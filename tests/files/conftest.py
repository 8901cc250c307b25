"""An empty cache for each test, and a certificate."""

import shutil
import subprocess
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


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A key and certificate of this machine, made for the test and trusted during it."""
    if not shutil.which('openssl'):
        pytest.skip('no openssl to make a certificate with')
    file = tmp_path / 'both.pem'
    subprocess.run(
        [
            'openssl',
            'req',
            '-x509',
            '-newkey',
            'rsa:2048',
            '-nodes',
            '-days',
            '2',
            '-subj',
            '/CN=localhost',
            '-addext',
            'subjectAltName=IP:127.0.0.1',
            '-keyout',
            tmp_path / 'key',
            '-out',
            tmp_path / 'cert',
        ],
        check=True,
        capture_output=True,
    )
    file.write_bytes((tmp_path / 'key').read_bytes() + (tmp_path / 'cert').read_bytes())
    monkeypatch.setenv('SSL_CERT_FILE', str(file))
    return file
