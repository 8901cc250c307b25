"""The split of own data: by picture, the same every time."""

import json

import pytest

from facelmk.datasets.tools.split import earlier_split, own_parts, part_of, split_pictures
from facelmk.errors import DataDefect

NAMES = [f'{i}.jpg' for i in range(50)]


def test_the_share_is_kept_and_the_order_does_not_matter():
    split = split_pictures([*NAMES, *NAMES], 0.2)
    assert list(split) == NAMES and list(split.values()).count('val') == 10
    assert split_pictures(NAMES[::-1], 0.2) == split != split_pictures(NAMES, 0.2, seed=1)


def test_pictures_keep_their_part_when_others_are_added():
    split = split_pictures(NAMES[:30], 0.2)
    more = split_pictures(NAMES, 0.2, earlier=split)
    assert {name: more[name] for name in NAMES[:30]} == split and list(more.values()).count('val') == 10


def test_an_earlier_split_is_read_from_its_files(tmp_path):
    files = {part: tmp_path / f'{part}.json' for part in ('train', 'val', 'test')}
    files['train'].write_text(json.dumps(dict(images=[dict(id=1, file_name='a b.jpg')])))
    assert earlier_split(files) == {'a b.jpg': 'train'}


def test_too_few_pictures():
    with pytest.raises(DataDefect, match='4 pictures with faces. Expected at least 5'):
        split_pictures(NAMES[:4], 0.2)
    assert list(split_pictures(NAMES[:5], 0.2).values()).count('val') == 1


@pytest.mark.parametrize(
    ('names', 'parts'),
    [
        (['train.json', 'val.json'], ['train', 'val']),
        (['face_landmarks_wflw_test.csv', 'face_landmarks_wflw_train.csv'], ['test', 'train']),
        (['Training', 'Validation', 'testset'], ['train', 'val', 'test']),
        (['train.json'], None),
        (['train.json', 'other.json'], None),
        (['trainer.json', 'val.json'], None),
    ],
)
def test_the_parts_that_files_name(names, parts):
    assert own_parts(names) == parts


def test_the_part_of_a_name():
    assert part_of('my-train.set') == 'train' and part_of('retrained') is None
