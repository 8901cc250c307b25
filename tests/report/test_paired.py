"""Two tests compared: which one is better, when the faces do not show it, and what is refused."""

import json

import numpy as np
import pytest
from helpers.pages import check_page_alone

from facelmk.cli import main
from facelmk.errors import DataDefect, FacelmkError
from facelmk.report.paired import compare_errors, read_errors, verdict

COUNT = 200


@pytest.fixture
def write(tmp_path):
    """Writes the metrics.json of a test and returns its path: write('a', errors, other columns)."""

    def make(name, errors, **columns):
        count = len(errors)
        rows = {
            'normaliser': 'the distance of the outer eye corners',
            'average': 'point',
            'id': [f'face{i}' for i in range(count)],
            'error': list(errors),
            'points': [98] * count,
            'length': [60.0 + i for i in range(count)],
        }
        path = tmp_path / f'{name}.json'
        path.write_text(json.dumps({'config': name, 'checkpoint': f'{name}.pth', 'per_face': rows | columns}))
        return str(path)

    return make


@pytest.fixture
def error():
    return 5 + np.random.default_rng(0).gamma(4, 1, COUNT)


def compare(a, b):
    found = compare_errors(read_errors(a), read_errors(b))
    return found, verdict(found)


def test_of_the_same_test_twice_neither_is_better(write, error):
    found, words = compare(write('a', error), write('b', error))
    assert found['test'].difference == 0 and found['test'].interval == (0, 0) and not found['test'].is_clear
    assert 'same error on each' in words and 'neither is better' in words


def test_noise_does_not_show_which_is_better(write, error):
    noise = np.random.default_rng(2).standard_normal(COUNT)
    found, words = compare(write('a', error), write('b', error + noise - noise.mean()))
    half = 1.96 * noise.std() / np.sqrt(COUNT)
    assert found['test'].interval == pytest.approx((-half, half), abs=0.15 * half)
    assert f'These {COUNT} faces do not show which of A and B is better' in words and 'includes 0' in words


def test_a_constant_shift_shows_which_is_better(write, error):
    found, words = compare(write('a', error), write('b', error - 0.1))
    one = found['test']
    assert (one.difference, *one.interval) == pytest.approx([-0.1] * 3) and one.better == 100 and one.is_clear
    assert words.startswith('B is better')
    assert compare(write('a', error), write('b', error + 0.1))[1].startswith('A is better')


def test_faces_of_one_picture_are_drawn_together(write):
    """Each picture has four faces with the same difference: the interval is twice as wide as for faces of their own."""
    change = np.repeat(np.random.default_rng(1).standard_normal(100), 4)
    picture = {'picture': np.repeat(np.arange(100), 4).tolist()}
    zero = np.full(400, 5.0)
    apart = compare(write('a', zero), write('b', zero + change))[0]['test'].interval
    together = compare(write('a', zero, **picture), write('b', zero + change, **picture))[0]['test'].interval
    assert np.ptp(together) == pytest.approx(2 * np.ptp(apart), rel=0.1)


def test_the_mean_is_that_of_the_metric(write):
    points = {'points': [10, 30]}
    assert compare(write('a', [2, 6], **points), write('b', [2, 6], **points))[0]['test'].a == pytest.approx(5)
    by_face = points | {'average': 'face'}
    assert compare(write('a', [2, 6], **by_face), write('b', [2, 6], **by_face))[0]['test'].a == pytest.approx(4)


def test_faces_without_a_prediction_are_left_out_and_counted(write):
    found, words = compare(write('a', [1, 2, None, 4]), write('b', [1, None, 3, 5]))
    one = found['test']
    assert (one.faces, one.used, one.only_a, one.only_b, one.better) == (4, 2, 1, 1, 0)
    assert 'only A' in words and 'only B' in words
    assert 'cannot be compared' in compare(write('a', [None]), write('b', [1]))[1]


def test_subsets_and_the_headline(write):
    subsets = {'subsets': {'pose': [0, 1], 'full': [0, 1, 2], 'none': []}, 'headline': 'full'}
    found, _ = compare(write('a', [1, 2, 3, 50], **subsets), write('b', [2, 3, 4, 90], **subsets))
    assert list(found) == ['full', 'pose'] and found['full'].difference == pytest.approx(1)


@pytest.mark.fault('T01')
@pytest.mark.parametrize(
    ('columns', 'word'),
    [
        ({'normaliser': 'the diagonal of the box'}, 'diagonal'),
        ({'id': ['face0', 'face9']}, 'face9'),
        ({'points': [98, 68]}, '68'),
        ({'length': [60.0, 75.0]}, '75.00'),
        ({'average': 'face'}, 'average'),
    ],
)
def test_tests_that_do_not_match_are_refused(write, columns, word):
    with pytest.raises(FacelmkError, match=word) as caught:
        compare(write('a', [1, 2]), write('b', [1, 2], **columns))
    assert caught.value.exit_code == 2


@pytest.mark.fault('T02')
@pytest.mark.parametrize('text', ['{}', '[]', 'x', '{"per_face": 3}', '{"per_face": {"id": []}}', '[1', '"per_face"'])
def test_files_without_errors_of_faces_are_refused(text, tmp_path):
    (tmp_path / 'a.json').write_text(text)
    with pytest.raises(DataDefect, match='metrics.json'):
        read_errors(tmp_path / 'a.json')


@pytest.mark.fault('T02')
@pytest.mark.parametrize(
    'columns',
    [
        {'points': [98]},
        {'picture': [0, 1, 2]},
        {'points': [98, 0]},
        {'subsets': {'pose': [2]}},
        {'subsets': {'pose': ['x']}},
        {'error': [1, 'x']},
        {'error': [1, [2]]},
        {'length': None},
    ],
    ids=str,
)
def test_damaged_columns_are_refused(write, columns):
    with pytest.raises(DataDefect, match='does not hold'):
        read_errors(write('a', [1, 2], **columns))


def test_the_verb_prints_a_table_and_json(write, error, capsys):
    a, b = write('a', error), write('b', error - 1)
    assert main(['compare', a, b]) == 0
    printed = capsys.readouterr().out
    assert '-1.00 to -1.00' in printed and printed.splitlines()[-1].startswith('B is better')
    assert main(['compare', a, b, '--json']) == 0
    entry = json.loads(capsys.readouterr().out)
    assert entry['differences']['test']['is_clear'] and entry['a']['file'] == a
    assert main(['compare', a, 'none.json']) == 3
    assert main(['compare', a, write('c', [1])]) == 2


@pytest.mark.fault('T02')
@pytest.mark.parametrize(
    'columns',
    [
        *({'error': [value, 1.0]} for value in (float('nan'), float('inf'), -1.0, True, '1', [1.0], 1e300)),
        *({'points': [value, 98]} for value in (True, 5.5, 10**18, 0)),
        *({'length': [value, 60.0]} for value in (-1.0, True, '60', float('nan'))),
        *({'id': value} for value in ('ab', {'a': 1, 'b': 2}, [['a'], ['b']], [1, 2])),
        *({'subsets': {'hard': value}} for value in ([True], [0.5], [[0]], [-1], [2], 'a')),
        *({'picture': value} for value in ([[0], [1]], [0.5, 1], [True, False], 'ab')),
        {'headline': ['test']},
        {'average': 5},
    ],
    ids=str,
)
def test_values_that_no_test_writes_are_refused(write, columns):
    with pytest.raises(DataDefect, match='a.json'):
        read_errors(write('a', [1.0, 2.0], **columns))


def test_a_face_without_a_prediction_needs_no_length(write):
    rows = read_errors(write('a', [1.0, None], length=[60.0, float('nan')]))
    assert rows.error.tolist() == [1.0, float('inf')]


def test_the_page_of_three_tests(write, error, capsys, tmp_path):
    subsets = {'subsets': {'po<se>': list(range(50)), 'blur': list(range(60, 90))}}
    noise = np.random.default_rng(2).standard_normal(COUNT)
    files = [write('a<b>', error, **subsets), write('b', error - 0.5, **subsets), write('c', error + noise, **subsets)]
    assert main(['compare', *files, '--report', str(tmp_path / 'page')]) == 0
    printed = capsys.readouterr().out
    assert 'B is better' in printed and 'do not show which of A and C is better' in printed and 'index.html' in printed
    source = (tmp_path / 'page' / 'index.html').read_text()
    page = check_page_alone(source)
    assert 'a<b>' in page.text and '<b>' not in source and 'po<se>, 50 faces' in page.text
    for word in ('B is better', 'do not show which of A and C is better', 'no clear difference', '-0.50 B better'):
        assert word in page.text, word
    assert page.text.count('is better by most') == 4
    order = np.argsort(-noise)
    assert page.text.index(f'face{order[0]} ') < page.text.index(f'face{order[1]} ')


def test_three_tests_as_json(write, error, capsys):
    assert main(['compare', *(write(name, error + i) for i, name in enumerate('abc')), '--json']) == 0
    found = json.loads(capsys.readouterr().out)['comparisons']
    assert [round(one['differences']['test']['difference'], 6) for one in found] == [1, 2]
    assert found[1]['b']['name'] == 'c, c.pth'
