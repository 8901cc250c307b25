"""The pictures of files, URLs and folders, and the paths of their drawings."""

from pathlib import Path

import pytest

from facelmk import FacelmkError, MissingResource
from facelmk.inference.folders import FilmSource, PictureSource, find_pictures, name_drawings


@pytest.fixture
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with four pictures, one of them below another folder, and three other files."""
    monkeypatch.chdir(tmp_path)
    for name in (
        'an album/a.jpg',
        'an album/a.png',
        'an album/ü/b.JPG',
        'an album/c.bmp',
        'an album/notes.txt',
        'an album/._a.jpg',
        'an album/ü/b.pts',
    ):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    return Path('an album')


def test_folders_with_all_folders_below(album) -> None:
    pictures, others = find_pictures([str(album)])
    assert {picture.name.as_posix() for picture in pictures} == {'a.jpg', 'a.png', 'ü/b.JPG', 'c.bmp'} and others == 3
    assert all(Path(picture.source).is_file() for picture in pictures)


def test_files_urls_and_duplicates(album) -> None:
    inputs = [str(album / 'a.jpg'), str(album), 'http://x.org/d%20e.jpg?size=3']
    pictures, _ = find_pictures(inputs)
    assert len(pictures) == 5 and pictures[-1] == ('http://x.org/d%20e.jpg?size=3', Path('d e.jpg'))
    assert find_pictures([str(album / 'notes.txt')])[0][0].name == Path(
        'notes.txt'
    )  # a file that the user names is a picture


def test_drawings_of_an_earlier_run_are_left_out(album) -> None:
    out = album / 'drawn'
    out.mkdir()
    (out / 'a.jpg').touch()
    assert len(find_pictures([str(album)], out)[0]) == 4 and len(find_pictures([str(album)])[0]) == 5
    assert len(find_pictures([str(out)], out)[0]) == 1 and len(find_pictures([str(album)], Path('.'))[0]) == 5


def test_inputs_without_pictures_are_refused(album) -> None:
    with pytest.raises(MissingResource, match='none.jpg'):
        find_pictures(['none.jpg'])
    (album / 'empty').mkdir()
    with pytest.raises(FacelmkError, match='empty.*.bmp'):
        find_pictures([str(album / 'empty')])


def test_each_drawing_has_a_path_of_its_own(album) -> None:
    (album / 'ü' / 'a.jpg').touch()
    pictures, _ = find_pictures([str(album), str(album / 'ü' / 'a.jpg')])
    drawings = name_drawings(pictures, Path('out'))
    assert len(set(drawings.values())) == 5
    assert drawings[str(album / 'c.bmp')] == Path('out/c.bmp.jpg') and drawings[str(album / 'a.png')] == Path(
        'out/a.png'
    )
    both = find_pictures([str(album / 'a.jpg'), str(album / 'ü' / 'a.jpg')])[0]
    assert list(name_drawings(both, Path('out')).values()) == [Path('out/a.jpg'), Path('out/a_2.jpg')]
    assert name_drawings(both[:1], Path('one.PNG')) == {str(album / 'a.jpg'): Path('one.PNG')}


def test_a_drawing_never_replaces_a_photograph(album) -> None:
    pictures, _ = find_pictures([str(album)])
    with pytest.raises(FacelmkError, match='a.jpg'):
        name_drawings(pictures, album)
    with pytest.raises(FacelmkError, match='a.jpg'):
        name_drawings(pictures[:1], Path(pictures[0].source))
    with pytest.raises(FacelmkError, match='out.jpg.* 4 '):
        name_drawings(pictures, Path('out.jpg'))


@pytest.mark.parametrize('name', ['out.gif', 'out.pgm', 'out.PDF'])
def test_a_drawing_in_a_format_that_is_not_written_is_refused(album, name) -> None:
    with pytest.raises(FacelmkError, match='jpg'):
        name_drawings([PictureSource('a.jpg', Path('a.jpg'))], Path(name))


def test_films_and_cameras_have_drawings_too(album) -> None:
    (album / 'film.MOV').touch()
    pictures, others = find_pictures([str(album), '0'])
    films = [picture for picture in pictures if isinstance(picture, FilmSource)]
    assert films == [(str(album / 'film.MOV'), Path('film.MOV')), ('0', Path('camera_0'))] and others == 3
    drawings = name_drawings(pictures, Path('out'))
    assert [drawings[film.source].name for film in films] == ['film.MOV.mp4', 'camera_0.mp4']
    assert find_pictures([str(album)], films=False)[1] == 4
    Path('0').touch()
    assert find_pictures(['0'])[0] == [('0', Path('0'))]  # a file of that name
