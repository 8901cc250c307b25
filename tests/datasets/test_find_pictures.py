"""What the name of a picture in an annotation file may mean."""

import pytest

from facelmk.datasets.find_pictures import spellings


@pytest.mark.parametrize(
    ('name', 'first'),
    [
        ('/data/local-files/?d=set/a.jpg', 'set/a.jpg'),
        ('http://host/set/a%20b.jpg', '/set/a b.jpg'),
        ('http://[abc/a.jpg', 'http://[abc/a.jpg'),  # no address: the bracket is not closed
        ('set\\a.jpg', 'set/a.jpg'),
    ],
)
def test_the_likely_spelling_is_first(name: str, first: str) -> None:
    assert spellings(name)[0] == first
