"""Building a crop cache: continued, completed, refused; damaged files; what is read when pictures change."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from helpers.photographs import BOXES, Photographed, encode, noise

from facelmk import DataDefect, FacelmkError, MissingResource
from facelmk.datasets import CropFace, JoinedFaces, LoadImage, PackFace, RepeatedFaces
from facelmk.datasets.base import FaceDataset
from facelmk.datasets.crops import build as build_module
from facelmk.datasets.crops import store
from facelmk.datasets.crops.build import CropCacheBuilder, Report
from facelmk.datasets.crops.index import DATA, INDEX, JPEG, PNG, About
from facelmk.files.lock import locked_folder

RAW = About('raw')
STEPS = [dict(type='LoadImage'), dict(type='CropFace', size=64), dict(type='PackFace')]


@pytest.fixture
def faces(tmp_path) -> Photographed:
    folder = tmp_path / 'pictures'
    folder.mkdir()
    Photographed.write(folder)
    return Photographed(folder, STEPS)


def builder(faces: FaceDataset, folder: Path, about: About = RAW) -> CropCacheBuilder:
    return CropCacheBuilder(folder, faces, [faces.pipeline], about)


def build(faces: FaceDataset, folder: Path, about: About = RAW, workers: int = 1) -> Report:
    return builder(faces, folder, about).build(workers, say=lambda _: None)


def cached(faces: Photographed, folder: Path) -> Photographed:
    return Photographed(faces.folder, [LoadImage(crop_cache=folder), CropFace(64), PackFace()])


def inputs(faces: FaceDataset) -> np.ndarray:
    return np.stack([faces[i]['inputs'].numpy() for i in range(len(faces))])


def test_states(faces, tmp_path) -> None:
    folder = tmp_path / 'cache'
    with pytest.raises(MissingResource):
        builder(faces, folder).check()
    report = build(faces, folder)
    assert (report.total, report.current, report.stale, report.missing) == (len(BOXES), len(BOXES), 0, 0)
    assert report.bytes == os.path.getsize(folder / DATA)
    time_before = os.stat(folder / INDEX).st_mtime_ns
    assert build(faces, folder) == report
    assert os.stat(folder / INDEX).st_mtime_ns == time_before, 'nothing was to do'


def test_a_changed_picture_is_read_and_written_again(faces, tmp_path) -> None:
    build(faces, tmp_path / 'cache')
    with_cache = cached(faces, tmp_path / 'cache')
    (faces.folder / '1.jpg').write_bytes(encode(noise(seed=99)))
    assert np.array_equal(inputs(faces), inputs(with_cache))
    report = builder(faces, tmp_path / 'cache').check()
    assert (report.current, report.stale) == (5, 2)
    assert build(faces, tmp_path / 'cache').stale == 0
    assert np.array_equal(inputs(faces), inputs(cached(faces, tmp_path / 'cache')))


def test_larger_crops_make_a_cache_stale_and_are_added(faces, tmp_path, monkeypatch) -> None:
    build(faces, tmp_path / 'cache')
    wide = Photographed(faces.folder, [LoadImage(), CropFace(64, padding=2), PackFace()])
    assert builder(wide, tmp_path / 'cache').check().stale > 0
    assert build(wide, tmp_path / 'cache').stale == 0
    assert builder(faces, tmp_path / 'cache').check().stale == 0, 'both need no more pictures'


def test_missing_and_broken_pictures_raise_the_same_error(faces, tmp_path) -> None:
    (faces.folder / '0.jpg').write_bytes(b'no picture')
    report = build(faces, tmp_path / 'cache')
    assert report.missing == 2 and len(report.errors) == 1 and '0.jpg' in report.errors[0]
    (faces.folder / '1.jpg').unlink()
    with_cache = cached(faces, tmp_path / 'cache')
    for index, error in ((0, DataDefect), (1, MissingResource)):
        with pytest.raises(error) as expected:
            faces[index]
        with pytest.raises(error) as raised:
            with_cache[index]
        assert str(raised.value) == str(expected.value)


def test_the_pixel_limit_holds(faces, tmp_path) -> None:
    build(faces, tmp_path / 'cache')
    limited = Photographed(faces.folder, [LoadImage(max_pixels=100, crop_cache=tmp_path / 'cache'), CropFace(64)])
    with pytest.raises(DataDefect, match='more than 100'):
        limited[0]


def test_two_processes_make_the_same_cache(faces, tmp_path) -> None:
    one, two = build(faces, tmp_path / 'one'), build(faces, tmp_path / 'two', workers=2)
    assert one == two
    assert np.array_equal(inputs(cached(faces, tmp_path / 'one')), inputs(cached(faces, tmp_path / 'two')))


def test_a_second_writer_is_refused(faces, tmp_path) -> None:
    refused = pytest.raises(FacelmkError, match=f'process {os.getpid()}')
    with locked_folder(tmp_path / 'cache', build_module.LOCK), refused:
        build(faces, tmp_path / 'cache')


KILLED = """
import sys
from pathlib import Path
from facelmk.datasets.crops import build
from facelmk.datasets.crops.index import About
from helpers.photographs import Photographed
build.COMMIT_S = 0
add = build.CropCacheBuilder._add
def slow(self, file, rows, error):
    print('picture', flush=True)
    done = add(self, file, rows, error)
    if len(self.rows) > 3:
        file.flush()
        import os, signal
        os.kill(os.getpid(), signal.SIGKILL)
    return done
build.CropCacheBuilder._add = slow
faces = Photographed(Path(sys.argv[1]), [dict(type='LoadImage'), dict(type='CropFace', size=64)])
build.CropCacheBuilder(Path(sys.argv[2]), faces, [faces.pipeline], About('raw')).build()
"""


def test_a_killed_build_continues(faces, tmp_path) -> None:
    environment = os.environ | {'PYTHONPATH': os.pathsep.join(sys.path)}
    command = [sys.executable, '-c', KILLED, str(faces.folder), str(tmp_path / 'cache')]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    report = builder(faces, tmp_path / 'cache').check()
    assert 0 < report.current < report.total
    assert np.array_equal(inputs(faces), inputs(cached(faces, tmp_path / 'cache')))
    assert build(faces, tmp_path / 'cache').current == report.total
    assert np.array_equal(inputs(faces), inputs(cached(faces, tmp_path / 'cache')))
    whole = build(faces, tmp_path / 'whole').bytes
    assert os.path.getsize(tmp_path / 'cache' / DATA) == whole, 'what was not committed is overwritten'


def test_room_is_checked(faces, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(build_module, 'PROBE', 1)
    monkeypatch.setattr(shutil, 'disk_usage', lambda _: namedtuple('Usage', 'free')(10))
    with pytest.raises(FacelmkError, match='free'):
        build(faces, tmp_path / 'cache')
    monkeypatch.undo()
    assert build(faces, tmp_path / 'cache').current == len(BOXES)


def test_another_kind_is_refused(faces, tmp_path) -> None:
    build(faces, tmp_path / 'cache')
    with pytest.raises(FacelmkError, match='another kind'):
        build(faces, tmp_path / 'cache', About('packed'))


@pytest.mark.parametrize('file', [INDEX, DATA, 'about.json'])
@pytest.mark.parametrize('damage', ['cut off', 'other bytes', 'empty'])
def test_damaged_files_are_named(faces, tmp_path, file, damage) -> None:
    folder = tmp_path / 'cache'
    build(faces, folder, About('packed'))
    content = (folder / file).read_bytes()
    new = {'cut off': content[: len(content) // 2], 'other bytes': b'x' * len(content), 'empty': b''}[damage]
    (folder / file).write_bytes(new)
    with pytest.raises(DataDefect, match=str(folder)):
        inputs(cached(faces, folder))


def test_pictures_that_are_no_baseline_jpeg(tmp_path) -> None:
    """They are written as PNG, which is lossless, too."""
    folder = tmp_path / 'pictures'
    folder.mkdir()
    turned = noise().getexif()
    turned[0x0112] = 6
    files = [encode(noise(), 'PNG'), encode(noise(), progressive=True), encode(noise(90, 120), exif=turned)]
    for number, content in enumerate([*files, encode(noise())]):
        (folder / f'{number}.jpg').write_bytes(content)
    faces = Photographed(folder, STEPS)
    build(faces, tmp_path / 'cache', About('packed'))
    forms = np.load(tmp_path / 'cache' / INDEX)['form']
    assert set(forms.tolist()) >= {JPEG, PNG}
    assert np.array_equal(inputs(faces), inputs(cached(faces, tmp_path / 'cache')))


@pytest.mark.parametrize('kind', ['raw', 'packed'])
def test_reduced_parts_show_the_same(faces, tmp_path, kind) -> None:
    """A part that is reduced to half its side gives almost the same crop as the picture, at the same place."""
    pictures = tmp_path / 'smooth'
    pictures.mkdir()
    for number in range(4):
        smooth = noise(6, 5, seed=number).resize((480, 360))
        (pictures / f'{number}.jpg').write_bytes(encode(smooth, quality=95))
    large = [(np.array(box) * 4).tolist() for box in BOXES[:6]]

    class Large(Photographed):
        def face(self, index: int) -> dict:
            return super().face(index) | {'box': np.array(large[index], np.float32)}

        def __len__(self) -> int:
            return len(large)

    plain = Large(pictures, STEPS)
    build(plain, tmp_path / 'cache', About(kind, 64))
    reduced = inputs(Large(pictures, [LoadImage(crop_cache=tmp_path / 'cache'), CropFace(64), PackFace()]))
    difference = np.abs(inputs(plain).astype(int) - reduced)
    assert difference.any() and np.mean(difference) < 3
    with pytest.raises(FacelmkError, match='integer'):
        Large(pictures, [LoadImage(crop_cache=tmp_path / 'cache'), CropFace(64, integer=True), PackFace()])


def test_joined_and_repeated_sets(faces, tmp_path, monkeypatch) -> None:
    """Each face is stored once, also one that only some epochs contain."""
    plain = Photographed(faces.folder)
    joined = JoinedFaces([RepeatedFaces(plain, 3), plain], markup='300w', weights=[1, 0.4], pipeline=STEPS)
    assert build(joined, tmp_path / 'cache').total == len(BOXES)
    monkeypatch.setattr(store, 'read_image', lambda *_: pytest.fail('a whole picture was read'))
    steps = [LoadImage(crop_cache=tmp_path / 'cache'), CropFace(64), PackFace()]
    same = JoinedFaces([RepeatedFaces(plain, 3), plain], markup='300w', weights=[1, 0.4], pipeline=steps)
    for epoch in range(3):
        for index in range(len(same)):
            assert np.array_equal(same[0, epoch, index]['inputs'], joined[0, epoch, index]['inputs'])


def test_steps_that_read_whole_pictures_are_refused(faces, tmp_path) -> None:
    build(faces, tmp_path / 'cache')
    load = LoadImage(crop_cache=tmp_path / 'cache')
    for steps in ([load, dict(type='Blur'), CropFace(64)], [load, dict(type='TightBox', frame=True), CropFace(64)]):
        with pytest.raises(FacelmkError, match='between LoadImage and CropFace'):
            Photographed(faces.folder, steps)
    with pytest.raises(FacelmkError, match='no CropFace'):
        Photographed(faces.folder, [load])
    for steps in ([dict(type='LoadImage'), dict(type='Blur'), CropFace(64)], [dict(type='LoadImage')]):
        with pytest.raises(FacelmkError):
            build(Photographed(faces.folder, steps), tmp_path / 'other')


def test_command(tmp_path, monkeypatch, capsys) -> None:
    from facelmk.cli import main

    monkeypatch.chdir(tmp_path)
    header = ','.join(['image_name', 'scale', 'center_w', 'center_h', *(f'p{i}_{a}' for i in range(98) for a in 'xy')])
    rows = []
    for number in range(3):
        Path(f'{number}.jpg').write_bytes(encode(noise(seed=number)))
        points = np.random.default_rng(number).uniform(20, 80, 196).round(2).tolist()
        rows.append(','.join(map(str, [f'{number}.jpg', 0.3, 50, 45, *points])))
    Path('faces.csv').write_text('\n'.join([header, *rows]))
    Path('mine.py').write_text(
        '_base_ = []\n'
        "train_pipeline = [dict(type='LoadImage'), dict(type='CropFace', size=64), dict(type='PackFace')]\n"
        "train_dataloader = dict(batch_size=2, dataset=dict(type='CsvFaces', ann_file='faces.csv'))\n"
    )
    assert main(['data', 'cache', 'mine.py', '--check']) == 3
    assert main(['data', 'cache', 'mine.py', '--workers', '1', '--kind', 'raw']) == 0
    assert 'data/crop_cache' in capsys.readouterr().out
    assert main(['data', 'cache', 'mine.py', '--check', '--json']) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report['current'], report['total']) == (3, 3)
    Path('1.jpg').write_bytes(encode(noise(seed=7)))
    assert main(['data', 'cache', 'mine.py', '--check']) == 4
    assert main(['data', 'cache', 'mine.py', '--kind', 'packed']) == 2
