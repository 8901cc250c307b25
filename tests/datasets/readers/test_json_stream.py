"""A json read piece by piece is what json.loads makes of it, wherever the pieces end."""

import json

import pytest

from facelmk.datasets.readers import json_stream
from facelmk.datasets.readers.json_stream import read_object
from facelmk.files import progress

CONTENT = {
    'info': {'year': -12.5e-3, 'nested': [[], [{}], [[1, 2], None]], 'text': 'a "quoted" \\ \xe9 \U0001f600, ]}'},
    'annotations': [{'id': i, 'keypoints': [1.5, i, 2e10], 'flags': [True, False, None]} for i in range(5)],
    'numbers': [1234567, -8.25, 0, 1e300],
    'empty': [],
    'count': 1234567,
}


@pytest.mark.parametrize('letters', [1, 2, 3, 7, 100, 1 << 20])
@pytest.mark.parametrize('indent', [None, 1])
@pytest.mark.parametrize('is_ascii', [True, False])
def test_every_place_may_be_the_end_of_a_piece(tmp_path, monkeypatch, letters, indent, is_ascii):
    monkeypatch.setattr(json_stream, 'PIECE_LETTERS', letters)
    file = tmp_path / 'a.json'
    file.write_text(json.dumps(CONTENT, indent=indent, ensure_ascii=is_ascii) + ' \n', 'utf-8-sig')
    assert read_object(file, {}) == CONTENT
    ids = read_object(file, {'annotations': lambda row: row['id']})
    assert ids == CONTENT | {'annotations': [0, 1, 2, 3, 4]}


@pytest.mark.parametrize('letters', [1, 1 << 20])
@pytest.mark.parametrize(
    'text',
    [
        *('', '[1]', '12', '{', '{"a"', '{"a":', '{"a":1', '{"a":1,}', '{"a":[1,]}', '{"a":[1 2]}', '{"a":1 "b":2}'),
        *('{,}', '{1:2}', '{"a":tru}', '{"a":[', '{"a":1}x', '{"a":"\n"}', '{"a":1}\0', "{'a':1}", '[' * 100_000),
    ],
)
def test_what_the_standard_library_refuses_or_reads_as_no_object_is_left_to_it(tmp_path, monkeypatch, letters, text):
    monkeypatch.setattr(json_stream, 'PIECE_LETTERS', letters)
    file = tmp_path / 'a.json'
    file.write_text(text)
    assert read_object(file, {}) is None


def test_the_last_of_two_equal_keys_counts_and_bytes_of_no_text_are_left_to_the_reader(tmp_path):
    file = tmp_path / 'a.json'
    file.write_text('{"a": [1], "a": [2], "b": NaN, "c": -Infinity}')
    content = read_object(file, {'a': lambda value: value * 10})
    assert content['a'] == [20] and content['b'] != content['b'] and content['c'] == float('-inf')
    file.write_bytes(b'{"a": "\xff"}')
    assert read_object(file, {}) is None


def test_reading_shows_its_progress(tmp_path, monkeypatch, capsys):
    for name in ('BAR_AFTER_S', 'BAR_S', 'FIRST_LINE_S'):
        monkeypatch.setattr(progress, name, 0)
    monkeypatch.setattr(json_stream, 'PIECE_LETTERS', 1000)
    file = tmp_path / 'faces.json'
    file.write_text(json.dumps({'a': list(range(100_000))}))
    assert len(read_object(file, {})['a']) == 100_000
    printed = capsys.readouterr()
    assert not printed.out and printed.err.startswith('reading faces.json: 0.0/0.7') and 'MB/s' in printed.err
