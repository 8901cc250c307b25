"""Which pictures are found, and where their drawings go."""

from pathlib import Path

import pytest

from facelmk import FacelmkError, MissingResource
from facelmk.inference.folders import find_pictures, name_drawings


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


def test_folders_with_all_below(album) -> None:
    found, others = find_pictures([str(album)])
    assert {row.name.as_posix() for row in found} == {'a.jpg', 'a.png', 'ü/b.JPG', 'c.bmp'} and others == 3
    assert all(Path(row.source).is_file() for row in found)


def test_files_addresses_and_doubles(album) -> None:
    given = [str(album / 'a.jpg'), str(album), 'http://x.org/d%20e.jpg?size=3']
    found, _ = find_pictures(given)
    assert len(found) == 5 and found[-1] == ('http://x.org/d%20e.jpg?size=3', Path('d e.jpg'))
    assert find_pictures([str(album / 'notes.txt')])[0][0].name == Path('notes.txt')  # named, so it is meant


def test_drawings_of_an_earlier_run_are_no_photographs(album) -> None:
    out = album / 'drawn'
    out.mkdir()
    (out / 'a.jpg').touch()
    assert len(find_pictures([str(album)], out)[0]) == 4 and len(find_pictures([str(album)])[0]) == 5
    assert len(find_pictures([str(out)], out)[0]) == 1 and len(find_pictures([str(album)], Path('.'))[0]) == 5


def test_nothing_there(album) -> None:
    with pytest.raises(MissingResource, match='no folder none.jpg'):
        find_pictures(['none.jpg'])
    (album / 'empty').mkdir()
    with pytest.raises(FacelmkError, match='no picture in .*empty, only 0 other files; pictures end in .bmp'):
        find_pictures([str(album / 'empty')])


def test_drawings_have_places_of_their_own(album) -> None:
    (album / 'ü' / 'a.jpg').touch()
    pictures, _ = find_pictures([str(album), str(album / 'ü' / 'a.jpg')])
    places = name_drawings(pictures, Path('out'))
    assert len(set(places.values())) == 5
    assert places[str(album / 'c.bmp')] == Path('out/c.bmp.jpg') and places[str(album / 'a.png')] == Path('out/a.png')
    both = find_pictures([str(album / 'a.jpg'), str(album / 'ü' / 'a.jpg')])[0]
    assert list(name_drawings(both, Path('out')).values()) == [Path('out/a.jpg'), Path('out/a_2.jpg')]
    assert name_drawings(both[:1], Path('one.PNG')) == {str(album / 'a.jpg'): Path('one.PNG')}


def test_photographs_are_never_replaced(album) -> None:
    pictures, _ = find_pictures([str(album)])
    with pytest.raises(FacelmkError, match='would replace a photograph'):
        name_drawings(pictures, album)
    with pytest.raises(FacelmkError, match='would replace a photograph'):
        name_drawings(pictures[:1], Path(pictures[0].source))
    with pytest.raises(FacelmkError, match='out.jpg is one picture, and there are 4 to draw; give a folder'):
        name_drawings(pictures, Path('out.jpg'))
