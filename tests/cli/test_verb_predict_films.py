"""facelmk predict with films and cameras, and what each suffix of --out writes."""

import csv
import json
import signal
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from films import HEIGHT, WIDTH, DiscPredictor, frame, write_film

from facelmk.cli import predict, predict_films
from facelmk.datasets.open_faces import open_faces
from facelmk.datasets.readers.pts import read_pts
from facelmk.inference.films import follow, read, write
from facelmk.inference.films.read import open_film

COUNT = 12


@pytest.fixture
def film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A film with two discs and a folder with a picture of each; the discs are the faces, and PyAV is not there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(predict, 'load_model', lambda options, model: DiscPredictor())
    for module in (write, predict_films):
        monkeypatch.setattr(module, 'has_pyav', lambda: False)
    write_film(Path('film.mp4'), (frame((40 + i, 60), (120, 60)) for i in range(COUNT)))
    Path('album').mkdir()
    cv2.imwrite('album/one.png', frame((60, 60)))
    cv2.imwrite('album/two.png', frame((40, 60), (120, 60)))
    return 'film.mp4'


def rows(path: str) -> list[dict]:
    return json.loads(Path(path).read_text())


def test_a_film_to_a_film(verb, film) -> None:
    printed = verb('predict', film, '--out', 'out.mp4')
    assert printed.endswith('2 faces in 12 frames of film.mp4 (0.6 s): out.mp4\n')
    with open_film('out.mp4') as drawn:
        frames = list(drawn)
        drawn.check()
    assert len(frames) == COUNT and drawn.fps == 20 and frames[0].image.shape == (HEIGHT, WIDTH, 3)
    green = (frames[3].image.astype(int) - frame((43, 60), (120, 60)))[..., 1]
    assert green.max() > 60 and not list(Path().glob('.*'))


def test_numbers_of_frames_and_pictures(verb, film) -> None:
    verb('predict', film, 'album', '--out', 'all.json')
    found = rows('all.json')
    assert [row.get('frame') for row in found] == [*range(COUNT), None, None]
    assert [face['id'] for face in found[3]['faces']] == [1, 2] and found[3]['time'] == pytest.approx(0.15)
    assert [len(row['faces']) for row in found[-2:]] == [1, 2] and 'id' not in found[-1]['faces'][0]
    assert json.loads(verb('predict', film, 'album', '--json')) == found


def test_a_csv_has_a_row_for_each_face(verb, film) -> None:
    verb('predict', 'album', film, '--out', 'faces.csv')
    with open('faces.csv', newline='') as file:
        table = list(csv.DictReader(file))
    assert len(table) == 3 + 2 * COUNT and len(table[0]) == len(set(table[0])) == 13 + 3 * 98
    first, last = table[0], table[-1]
    assert (first['path'], first['frame'], first['id'], first['face']) == ('album/one.png', '', '', '0')
    assert (last['path'], last['frame'], last['id'], last['markup']) == ('film.mp4', '11', '2', 'wflw')
    verb('predict', film, '--out', 'faces.json', '--no-smooth')
    assert float(last['x7']) == pytest.approx(rows('faces.json')[-1]['faces'][1]['landmarks'][7][0], abs=0.5)
    cv2.imwrite('empty.png', frame())
    verb('predict', 'empty.png', '--out', 'empty.csv')
    assert Path('empty.csv').read_text().count('\n') == 1


def test_coco_json(verb, film) -> None:
    cv2.imwrite('album/empty.png', frame())
    verb('predict', 'album', film, '--out', 'faces.coco.json')
    found = json.loads(Path('faces.coco.json').read_text())
    assert [image['file_name'] for image in found['images'][:3]] == [
        'album/empty.png',
        'album/one.png',
        'album/two.png',
    ]
    assert [row['image_id'] for row in found['annotations'][:3]] == [2, 3, 3]
    assert [row['id'] for row in found['annotations']] == list(range(1, 4 + 2 * COUNT))
    last = found['annotations'][-1]
    assert last['track_id'] == 2 and len(last['keypoints']) == 3 * 98 and found['images'][-1]['frame'] == 11
    (category,) = found['categories']
    assert len(category['keypoints']) == 98 and max(max(pair) for pair in category['skeleton']) <= 98
    verb('predict', 'album/empty.png', '--out', 'none.coco.json')
    assert json.loads(Path('none.coco.json').read_text())['annotations'] == []


def test_cvats_xml_is_read_again(verb, film) -> None:
    cv2.imwrite('album/empty.png', frame())
    verb('predict', 'album', film, '--out', 'faces.xml')
    verb('predict', 'album', film, '--out', 'faces.json')
    found = [face['landmarks'] for row in rows('faces.json') for face in row['faces']]
    data = open_faces('faces.xml', image_root='.')
    assert len(data) == len(found) == 3 + 2 * COUNT and data.markup.name == 'wflw'
    assert np.allclose([face['landmarks'] for face in data.faces], found, atol=1e-3)
    text = Path('faces.xml').read_text()
    assert 'name="album/empty.png"' in text and 'id="11" name="film.mp4/frame_000011"' in text
    verb('predict', 'album/empty.png', '--out', 'none.xml')
    assert '<image ' in Path('none.xml').read_text() and '<skeleton' not in Path('none.xml').read_text()


def test_points_of_one_picture_and_of_a_folder(verb, film) -> None:
    verb('predict', 'album/one.png', '--out', 'one.pts')
    verb('predict', 'album/two.png', '--out', 'two.pts')
    verb('predict', 'album', '--out', 'points', '--format', 'pts')
    names = ['one.pts', 'two_1.pts', 'two_2.pts']
    assert sorted(path.name for path in Path().glob('*.pts')) == names
    assert sorted(path.name for path in Path('points').iterdir()) == sorted([*names, 'predictions.json'])
    points = np.reshape(np.float64(read_pts(Path('points/two_2.pts'), None)), (-1, 2))
    assert np.allclose(points, rows('points/predictions.json')[1]['faces'][1]['landmarks'], atol=1e-4)


def test_no_points_replace_those_of_another_picture(verb, film) -> None:
    cv2.imwrite('album/two_2.png', frame((60, 60)))
    cv2.imwrite('album/two.jpg', frame((60, 60)))
    verb('predict', 'album', '--out', 'points', '--format', 'pts')
    assert len(list(Path('points').glob('*.pts'))) == 1 + 2 + 1 + 1


def test_a_folder_of_films_and_pictures(verb, film) -> None:
    Path('album/sub').mkdir()
    Path(film).rename('album/sub/film.avi.mp4')
    printed = verb('predict', 'album', '--out', 'out')
    assert '3 faces in 2 pictures: out' in printed and '12 frames' in printed
    files = {path.relative_to('out').as_posix() for path in Path('out').rglob('*') if path.is_file()}
    assert files == {'one.png', 'two.png', 'sub/film.avi.mp4', 'predictions.json'}


def test_a_slash_at_the_end_is_a_folder_whatever_its_name(verb, film) -> None:
    for out in ('x.jpg', 'x.mp4', 'x.json'):
        verb('predict', 'album', film, '--out', f'{out}/')
        assert {'predictions.json', 'film.mp4'} < {file.name for file in Path(out).iterdir()}, out


def test_a_film_that_is_cut_off_ends_with_what_was_read(verb, film) -> None:
    write_film(Path('cut.avi'), (frame((40 + i, 60)) for i in range(COUNT)), codec='MJPG')
    content = Path('cut.avi').read_bytes()
    Path('cut.avi').write_bytes(content[: len(content) // 2])
    message = verb('predict', 'cut.avi', film, '--out', 'out', code=4)
    assert 'cut.avi' in message and 'of 12 frames' in message and '1 of 2 inputs' in message
    with open_film('out/cut.avi.mp4') as drawn:
        read_frames = len(list(drawn))
    assert 0 < read_frames < COUNT
    assert sum(row['path'] == 'cut.avi' for row in rows('out/predictions.json')) == read_frames
    assert 'cut.avi' in verb('predict', 'cut.avi', '--out', 'strict.mp4', '--strict', code=4)
    assert not Path('strict.mp4').exists()


def test_seconds_end_a_film(verb, film) -> None:
    verb('predict', film, '--out', 'short.json', '--seconds', '0.2')
    assert [row['frame'] for row in rows('short.json')] == [0, 1, 2, 3]


def test_ctrl_c_ends_a_camera_and_not_the_command(verb, film, monkeypatch) -> None:
    real = read.cv2.VideoCapture

    class FakeCamera:
        def __init__(self) -> None:
            self.capture, self.frames = real('film.mp4'), 0

        def read(self):
            self.frames += 1
            if self.frames == 7:
                signal.raise_signal(signal.SIGINT)
            return self.capture.read()

        def __getattr__(self, name: str):
            return getattr(self.capture, name)

    monkeypatch.setattr(
        read.cv2, 'VideoCapture', lambda source, *more: FakeCamera() if source == 0 else real(source, *more)
    )
    printed = verb('predict', '0', '--out', 'me.json')
    assert '2 faces in 6 frames of 0' in printed and len(rows('me.json')) == 6


def test_a_camera_that_is_not_there(verb, film) -> None:
    assert 'camera 97 cannot be opened' in verb('predict', '97', '--out', 'me.mp4', code=3)
    assert not Path('me.mp4').exists()


@pytest.mark.parametrize(
    'words, fact',
    [
        (('film.mp4', '--out', 'z.xyz'), '.json .csv .coco.json'),
        (('film.mp4', '--out', 'x.gif'), 'unknown suffix .gif'),
        (('film.mp4', '--out', 'x.jpg'), 'film.mp4 is a film'),
        (('film.mp4', '--out', 'x.pts'), 'film.mp4 is a film'),
        (('album/one.png', '--out', 'x.mp4'), 'album/one.png is a picture'),
        (('album', '--out', 'x.mp4'), 'x.mp4 is one film'),
        (('album', '--out', 'x.pts'), '--format pts'),
        (('album', '--out', 'x.json', '--format', 'pts'), '--format pts'),
        (('album', '--out', 'x.csv', '--json'), '--json with --out x.csv'),
        (('film.mp4', '--out', 'film.mp4'), 'would replace'),
        (('film.mp4', '--detect-every', '0'), '--detect-every 0'),
        (('film.mp4', '--seconds', '-1'), '--seconds -1'),
    ],
)
def test_outputs_that_do_not_fit_are_refused(verb, film, words, fact) -> None:
    before = sorted(Path().rglob('*'))
    assert fact in verb('predict', *words, code=2)
    assert sorted(Path().rglob('*')) == before


def test_an_unknown_suffix_names_no_folder_that_exists(verb, film) -> None:
    Path('version.2').mkdir()
    verb('predict', 'album', '--out', 'version.2')
    verb('predict', 'album', '--out', 'version.3/')
    assert Path('version.2/one.png').is_file() and Path('version.3/one.png').is_file()


def test_a_full_disk_leaves_the_earlier_film(verb, film) -> None:
    pytest.importorskip('resource', reason='this system limits no files')
    from disturbances import file_limit

    verb('predict', film, '--out', 'out.mp4')
    before = Path('out.mp4').read_bytes()
    with file_limit(2000):
        assert 'facelmk: out.mp4 cannot be written' in verb('predict', film, '--out', 'out.mp4', code=3)
    assert Path('out.mp4').read_bytes() == before and not list(Path().glob('.*'))


def test_a_window_ends_with_q(verb, film, monkeypatch) -> None:
    shown = []
    monkeypatch.setenv('DISPLAY', ':0')
    monkeypatch.setattr(
        predict_films, 'show', lambda image, title, wait: shown.append(image) or (ord('q') if len(shown) == 3 else -1)
    )
    assert verb('predict', film, '--show') == '2 faces in 3 frames of film.mp4 (0.1 s)\n' and len(shown) == 3
    assert not Path('work_dirs').exists()
    monkeypatch.delenv('DISPLAY')
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)
    if sys.platform == 'linux':
        assert 'no screen' in verb('predict', film, '--show', code=3)


def test_the_default_of_detect_every_is_that_of_the_follower() -> None:
    assert predict.DETECT_EVERY == follow.EVERY
