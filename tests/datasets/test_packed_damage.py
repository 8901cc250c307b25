"""Packed files that are damaged, hostile, or half made by a process that was killed; and processes side by side."""

import json
import multiprocessing
import os
import signal
import struct
import time
import zlib

import numpy as np
import pytest

from facelmk.bench.scale import STATUS, private_bytes
from facelmk.datasets import CsvFaces, columns, pack_file, packing
from facelmk.datasets.columns import make_columns
from facelmk.datasets.pack_file import PackedFaces, open_pack, write_pack
from facelmk.errors import DataDefect

pytestmark = pytest.mark.usefixtures('home')
FORK = multiprocessing.get_context('fork')


@pytest.fixture
def pack(table, home):
    """The packed file of the table."""
    CsvFaces(table)
    (file,) = home.glob('*.faces')
    return file


def rows_of(data):
    """Return ids and coordinates of all faces."""
    return [(face['id'], face['path'], face['norm'], face['landmarks'].tolist(), face['box'].tolist()) for face in data]


def faces_of(data):
    return rows_of(data.face(i) for i in range(len(data)))


# -- damage


@pytest.mark.parametrize('share', [0, 0.001, 0.3, 0.6, 0.99, 0.9999])
def test_a_shortened_file_is_made_anew(table, pack, share):
    truth, size = faces_of(CsvFaces(table, packed=False)), pack.stat().st_size
    os.truncate(pack, int(share * size))
    assert faces_of(CsvFaces(table)) == truth and pack.stat().st_size == size


@pytest.mark.parametrize('content', [b'', b'\0' * 5000, b'facelmk faces 1\n', b'\x80\x04N.' * 99, b'{"a": [' * 999])
def test_other_content_is_made_anew(table, pack, content):
    pack.write_bytes(content)
    assert faces_of(CsvFaces(table)) == faces_of(CsvFaces(table, packed=False))
    assert isinstance(open_pack(pack), PackedFaces)


def test_bytes_after_the_end_and_a_folder_in_its_place_are_noticed(table, pack):
    with pack.open('ab') as file:
        file.write(b'x')
    with pytest.raises(DataDefect, match=r'damaged.* bytes'):
        open_pack(pack)
    CsvFaces(table)
    assert len(open_pack(pack)) == 4
    pack.unlink(), pack.mkdir()
    assert len(CsvFaces(table)) == 4  # read, as nothing can be written there


def test_no_changed_byte_stays_unnoticed(table, pack):
    """Each of 300 single bytes, over the whole file, is flipped: the faces are the right ones in the end."""
    truth, content = faces_of(CsvFaces(table, packed=False)), pack.read_bytes()
    start = len(content) - 4 * open_pack(pack).records.dtype.itemsize - open_pack(pack).header['text_bytes']
    for place in np.linspace(0, len(content) - 1, 300).astype(int).tolist():
        changed = bytearray(content)
        changed[place] ^= 1 + place % 255
        pack.write_bytes(changed)
        is_header = place < start
        try:
            found = rows_of(open_pack(pack))
            assert found == truth and is_header and content[place] == 0, place  # the space before the records
        except DataDefect:
            pass
    assert faces_of(CsvFaces(table)) == truth


def test_damage_that_appears_later_is_repaired_where_it_is_read(table, pack):
    truth = faces_of(CsvFaces(table, packed=False))
    data, other = CsvFaces(table), CsvFaces(table)
    with pack.open('r+b') as file:  # in the file that both have mapped
        file.seek(-400, os.SEEK_END)
        file.write(b'\xff' * 9)
    with pytest.raises(DataDefect, match='damaged at face'):
        list(data.faces)
    assert faces_of(data) == truth and isinstance(data.faces, PackedFaces)
    kept = pack.stat().st_ino
    assert faces_of(other) == truth and pack.stat().st_ino == kept  # the second one finds the new file


def test_a_repaired_file_holds_no_defects_of_pictures(table, pack):
    """A reader without `check_pictures` opens the same file."""
    data = CsvFaces(table, check_pictures=True, defects='keep')
    data.faces, data.on_defects = CsvFaces(table).faces, 'skip'
    missing = len(data.defects)
    pack.write_bytes(pack.read_bytes()[:-400] + b'\xff' * 400)
    len(faces_of(data))
    assert missing > 0 and len(data.defects) == missing and not CsvFaces(table, defects='skip').defects


def test_validity_is_that_of_the_faces_which_were_taken(table, pack):
    faces = open_pack(pack)
    assert faces.take([2, 0]).valid().tolist() == [True, True] and len(faces.valid()) == 4


# -- files with right checksums that no facelmk has written


def forged(pack, change):
    """Replace the header by a changed one, with a right checksum."""
    content = pack.read_bytes()
    length = struct.unpack_from('<I', content, 16)[0]
    header = json.loads(content[24 : 24 + length])
    text = json.dumps(change(header) or header).encode()
    head = content[:16] + struct.pack('<II', len(text), zlib.crc32(text)) + text
    start = -(-(24 + length) // 64) * 64
    pack.write_bytes(head.ljust(-(-len(head) // 64) * 64, b'\0') + content[start:])


def set_field(index, value, field=1):
    return lambda header: header['fields'][field].__setitem__(index, value)


FORGERIES = {
    'an object': set_field(3, '|O'),
    'an unknown kind': set_field(1, 'pickle'),
    'a large shape': set_field(4, [1 << 40, 1 << 40]),
    'a negative shape': set_field(4, [-98, -2]),
    'another number of points': set_field(4, [68, 2]),
    'a name that is no text': set_field(0, 5),
    'a name twice': set_field(0, 'box'),
    'an own name': set_field(0, '_start'),
    'many faces': lambda header: header.update(count=1 << 60),
    'a negative count': lambda header: header.update(count=-1, text_bytes=0),
    'a count that is no integer': lambda header: header.update(count=4.0),
    'no tags': lambda header: header.update(tag_sets=[]),
    'tags of numbers': lambda header: header.update(tag_sets=[[1]]),
    'no prefix': lambda header: header.update(prefix=None),
    'another key': lambda header: header.update(key='0' * 64),
    'defects of another form': lambda header: header.update(defects=[['a', 'b']]),
    'subsets of another form': lambda header: header.update(subsets=3),
    'no counts': lambda header: header.pop('box_counts') and None,
    'a list': lambda header: [header],
    'nothing': lambda header: {'a': 1},
    'nesting': lambda header: header.update(prefix=json.loads('[' * 900 + ']' * 900)),
}


@pytest.mark.parametrize('forgery', FORGERIES)
def test_a_forged_header_is_refused_or_harmless(table, pack, forgery):
    truth = faces_of(CsvFaces(table, packed=False))
    forged(pack, FORGERIES[forgery])
    assert faces_of(CsvFaces(table)) == truth


# -- processes


def in_process(work, *arguments):
    """Start a forked process; it ends without pytest's own clean-up."""

    def run():
        try:
            work(*arguments)
        finally:
            os._exit(0)

    process = FORK.Process(target=run)
    process.start()
    return process


def test_of_several_processes_one_reads_and_the_others_wait(tmp_path, table, monkeypatch):
    read, log = CsvFaces.read, tmp_path / 'log'
    log.touch()

    def slow_read(self, file):
        with log.open('a') as stream:
            stream.write('read\n')
        time.sleep(0.3)
        return read(self, file)

    monkeypatch.setattr(CsvFaces, 'read', slow_read)

    def start(number):
        (tmp_path / f'{number}.json').write_text(json.dumps(faces_of(CsvFaces(table))))

    processes = [in_process(start, i) for i in range(4)]
    for process in processes:
        process.join(60)
    assert log.read_text() == 'read\n'
    truth = json.loads(json.dumps(faces_of(CsvFaces(table, packed=False))))
    assert [json.loads((tmp_path / f'{i}.json').read_text()) for i in range(4)] == [truth] * 4


def test_a_process_that_is_killed_while_packing_leaves_nothing_that_counts(table, home, monkeypatch):
    blocks = pack_file._blocks

    def blocks_and_end(faces):
        yield next(blocks(faces))
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(pack_file, '_blocks', blocks_and_end)
    process = in_process(CsvFaces, table)
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert [file.suffix for file in home.iterdir() if file.suffix != '.lock'] == ['.tmp']
    monkeypatch.setattr(pack_file, '_blocks', blocks)
    assert faces_of(CsvFaces(table)) == faces_of(CsvFaces(table, packed=False))
    assert sorted(file.suffix for file in home.iterdir()) == ['.faces', '.lock', '.seen']


def test_annotations_that_change_while_they_are_read_are_not_packed(table, home, monkeypatch):
    read = CsvFaces.read

    def read_and_change(self, file):
        faces = read(self, file)
        file.write_bytes(file.read_bytes().replace(b'1.png', b'7.png'))
        return faces

    monkeypatch.setattr(CsvFaces, 'read', read_and_change)
    assert CsvFaces(table).face(0)['id'] == '1.png#1' and not list(home.glob('*.faces'))
    monkeypatch.setattr(CsvFaces, 'read', read)
    assert CsvFaces(table).face(0)['id'] == '7.png#1' and list(home.glob('*.faces'))


def test_a_folder_that_cannot_be_written_to_costs_a_line_in_the_log_only(tmp_path, table, monkeypatch):
    lines = []
    monkeypatch.setattr(packing, '_log', lines.append)
    (tmp_path / 'file').touch()
    data = CsvFaces(table, packed=str(tmp_path / 'file'))
    assert not isinstance(data.faces, PackedFaces) and faces_of(data) == faces_of(CsvFaces(table, packed=False))
    assert len(lines) == 1 and 'could not be written (Not a directory)' in lines[0]


@pytest.mark.skipif(os.name != 'posix' or os.geteuid() == 0, reason='root may write everywhere')
def test_a_read_only_folder_serves_the_file_that_it_has(table, home):
    CsvFaces(table)
    home.chmod(0o500)
    try:
        assert isinstance(CsvFaces(table).faces, PackedFaces)
        assert len(CsvFaces(table, origin=1)) == 4
    finally:
        home.chmod(0o700)


@pytest.mark.skipif(not STATUS.exists(), reason='needs Linux')
def test_a_forked_loader_that_has_read_every_face_copies_none(tmp_path):
    count = 30_000
    values = {name: ('array', np.ones((count, *shape), np.float32)) for name, shape in SHAPES.items()}
    names = [f'{i:06d}.jpg' for i in range(count)]
    made = make_columns(names, names, [()] * count, values | {'norm': ('norm', np.full(count, np.nan))})
    write_pack(tmp_path / 'a.faces', made, {})
    faces = open_pack(tmp_path / 'a.faces')
    assert faces.status.st_size > 25_000_000
    receive, send = FORK.Pipe(duplex=False)

    def read():
        before = private_bytes()
        for i in range(0, count, 8):  # each page
            faces[i]
        send.send(private_bytes() - before)

    in_process(read).join(60)
    assert receive.poll(1) and receive.recv() < 8_000_000


SHAPES = {'box': (4,), 'landmarks': (98, 2), 'visible': (98,)}


def test_a_face_in_memory_is_a_copy_too(table):
    data = CsvFaces(table, packed=False)
    assert isinstance(data.faces, columns.FaceColumns) and not isinstance(data.faces, PackedFaces)
    data.face(0)['landmarks'][:] = 0
    assert data.face(0)['landmarks'].all()
