"""Block F of the fault table: archives that lead out of the folder, or that do not fit into it."""

import io
import os
import stat
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from facelmk.errors import FacelmkError, MissingResource
from facelmk.files.archives import extract

LONG = 'n' * 256
NAMES = {
    'F01': ['../fired', 'a/../../fired', '..\\fired'],
    'F02': ['/{}/fired', 'C:/fired', '\\fired'],
    'F08': ['fi\0red'],
    'F09': [LONG, '/'.join(['a' * 200] * 6), 'é' * 128],
}
KINDS = {
    'F03': (tarfile.SYMTYPE, '../..'),
    'F04': (tarfile.LNKTYPE, '/etc/passwd'),
    'F05': (tarfile.CHRTYPE, ''),
    'F05 pipe': (tarfile.FIFOTYPE, ''),
    'F03 inside': (tarfile.SYMTYPE, 'good'),
}


def zipped(path: Path, name: str, mode: int = 0) -> None:
    """A zip with a good file and one of this name and kind."""
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('good', b'good')
        entry = zipfile.ZipInfo('x' * len(name) if '\0' in name else name)
        entry.external_attr = mode << 16
        archive.writestr(entry, b'/etc')
    if '\0' in name:
        path.write_bytes(path.read_bytes().replace(b'x' * len(name), name.encode()))


def tarred(path: Path, name: str, kind: bytes = tarfile.REGTYPE, link: str = '') -> None:
    """A tar with a good file and one of this name and kind."""
    with tarfile.open(path, 'w:gz') as archive:
        for title, what, content in (('good', tarfile.REGTYPE, b'good'), (name, kind, b'x')):
            info = tarfile.TarInfo(title)
            info.type, info.linkname, info.size = what, link, len(content) if what == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(content))


def refused(path: Path, *words: str) -> None:
    """Nothing is written anywhere but the archive itself, and the message has these words."""
    before = sorted(path.parent.rglob('*'))
    with pytest.raises(FacelmkError) as error:
        extract(path, path.parent / 'target')
    assert error.value.exit_code == 2 and all(word in str(error.value) for word in (path.name, *words)), error.value
    assert sorted(path.parent.rglob('*')) == before


@pytest.mark.parametrize(
    ('make', 'name'),
    [
        pytest.param(make, name, marks=pytest.mark.fault(case), id=f'{case}-{make.__name__}-{i}')
        for case, names in NAMES.items()
        for i, name in enumerate(names)
        for make in (zipped, tarred)
        if not ('\0' in name and make is tarred)
    ],
)  # the format ends a name at a NUL
def test_a_name_that_leads_out_or_is_none(tmp_path: Path, make: Callable, name: str) -> None:
    name = name.replace('{}', str(tmp_path))
    make(tmp_path / 'x.zip', name)
    refused(tmp_path / 'x.zip', 'nothing of it is unpacked', repr(name[:50])[1:-1])


@pytest.mark.parametrize('kind', [pytest.param(kind, marks=pytest.mark.fault(kind[:3])) for kind in KINDS])
def test_what_is_no_file_in_a_tar(tmp_path: Path, kind: str) -> None:
    tarred(tmp_path / 'x.tar.gz', 'evil', *KINDS[kind])
    refused(tmp_path / 'x.tar.gz', "'evil' is a link or a device")


@pytest.mark.parametrize(
    'mode',
    [
        pytest.param(stat.S_IFLNK | 0o777, marks=pytest.mark.fault('F03')),
        pytest.param(stat.S_IFCHR | 0o666, marks=pytest.mark.fault('F05')),
    ],
)
def test_what_is_no_file_in_a_zip(tmp_path: Path, mode: int) -> None:
    zipped(tmp_path / 'x.zip', 'evil', mode)
    refused(tmp_path / 'x.zip', "'evil' is a link or a device")


@pytest.mark.fault('F06')
@pytest.mark.parametrize('kind', ['zip', 'tar.gz', 'lying zip'])
def test_a_bomb(tmp_path: Path, kind: str) -> None:
    content, path = bytes(64 << 20), tmp_path / 'x.archive'
    if kind == 'tar.gz':
        with tarfile.open(path, 'w:gz', compresslevel=1) as archive:
            info = tarfile.TarInfo('zeros')
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    else:
        with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr('zeros', content)
    if kind == 'lying zip':  # says that it unpacks to 1,000 bytes
        path.write_bytes(path.read_bytes().replace(len(content).to_bytes(4, 'little'), (1000).to_bytes(4, 'little')))
    begun = time.process_time()
    refused_sizes(path, lying=kind == 'lying zip')
    assert time.process_time() - begun < 0.05


def refused_sizes(path: Path, lying: bool) -> None:
    """A lie shows while it is unpacked: at most what was promised is written, and nothing of it stays."""
    if not lying:
        return refused(path, f'has {path.stat().st_size} bytes', 'claims 67108864')
    with pytest.raises(FacelmkError, match=path.name):
        extract(path, path.parent / 'target')
    assert list((path.parent / 'target').iterdir()) == []


@pytest.mark.slow
@pytest.mark.fault('F07')
@pytest.mark.parametrize('kind', ['zip', 'tar'])
def test_too_many_files(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f'x.{kind}'
    if kind == 'zip':
        with zipfile.ZipFile(path, 'w') as archive:
            for i in range(100_001):
                archive.writestr(zipfile.ZipInfo(f'{i}'), b'')
    else:
        block = tarfile.TarInfo('x').tobuf()
        path.write_bytes(block * 100_001 + bytes(1024))
    refused(path, 'more than 100000 files')


@pytest.mark.parametrize('kind', ['zip', 'tar', 'tar.gz', 'tar.xz'])
def test_an_honest_archive_comes_out_whole(tmp_path: Path, kind: str) -> None:
    path, content = tmp_path / f'x.{kind}', os.urandom(3000)
    if kind == 'zip':
        with zipfile.ZipFile(path, 'w') as archive:
            archive.mkdir('a') if hasattr(archive, 'mkdir') else None
            archive.writestr('a/b..c', content)
    else:
        with tarfile.open(path, f'w:{kind[4:]}') as archive:
            info = tarfile.TarInfo('./a/b..c')
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    written = extract(path, tmp_path / 'target')
    assert written == [tmp_path / 'target' / 'a' / 'b..c'] and written[0].read_bytes() == content
    assert [item.name for item in (tmp_path / 'target').iterdir()] == ['a']


def test_a_link_in_the_target_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / 'target').mkdir()
    (tmp_path / 'elsewhere').mkdir()
    (tmp_path / 'target' / 'a').symlink_to(tmp_path / 'elsewhere')
    zipped(tmp_path / 'x.zip', 'a/b')
    with pytest.raises(FacelmkError, match='leads out'):
        extract(tmp_path / 'x.zip', tmp_path / 'target')
    assert list((tmp_path / 'elsewhere').iterdir()) == []


def test_what_is_no_archive_is_told(tmp_path: Path) -> None:
    (tmp_path / 'x.zip').write_bytes(b'PK\x03\x04 cut off')
    refused(tmp_path / 'x.zip', 'cannot be unpacked', 'cut off')
    with pytest.raises(MissingResource, match=r'no archive .*none\.zip'):
        extract(tmp_path / 'none.zip', tmp_path)
