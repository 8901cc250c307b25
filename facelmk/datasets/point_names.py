"""What the names of points say: which points mirror each other, and where the eyes are."""

import re
from collections.abc import Iterable, Mapping, Sequence

from ..errors import FacelmkError, did_you_mean

Pairs = tuple[tuple[int, int], ...]
NO_PAIRS = 'none'  # the value of --flip-pairs for points that have no left and right
NUMBERED = re.compile(r'\D*(\d{1,9})\D*')  # Python refuses to read numbers of thousands of digits
WORDS = re.compile(r'[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+')  # of leftEye, left_eye, LEFT-EYE
SIDES = {'left': 'left', 'l': 'left', 'lft': 'left', 'right': 'right', 'r': 'right', 'rgt': 'right'}


def are_numbers(names: Sequence[str]) -> bool:
    """Whether names only number the points, as 0, 1, 2 or kpt-1, kpt-2, so that they say nothing of their meaning."""
    found = [NUMBERED.fullmatch(name) for name in names]
    numbers = sorted(int(match[1]) for match in found if match)
    stems = {re.sub(r'\d+', '', name) for name in names}
    return (
        bool(numbers)
        and len(numbers) == len(names)
        and len(stems) == 1
        and numbers == list(range(numbers[0], numbers[0] + len(names)))
    )


def side_of(name: str) -> tuple[str | None, tuple[str, ...]]:
    """Return the side that a name has, 'left', 'right' or None, and the words of the name without it."""
    words = [word.lower() for word in WORDS.findall(name)]
    sides = [i for i, word in enumerate(words) if word in SIDES]
    if len(sides) != 1:  # none, or two of them: the left corner of the right eye
        whole = [i for i in sides if words[i] in ('left', 'right')]
        sides = whole[:1] if len(whole) == 1 else []
    if not sides:
        return None, tuple(words)
    return SIDES[words[sides[0]]], tuple(word for i, word in enumerate(words) if i != sides[0])


def pairs_of(names: Sequence[str], file: object) -> Pairs:
    """Return the mirror pairs (left, right) that the names of the points say; () if no name has a side."""
    sided = {i: side_of(name) for i, name in enumerate(names)}
    left = {words: i for i, (side, words) in sided.items() if side == 'left'}
    right = {words: i for i, (side, words) in sided.items() if side == 'right'}
    if lonely := [i for words, i in (left | right).items() if words not in left or words not in right]:
        raise FacelmkError(
            f'{file}: the point {names[lonely[0]]!r} has a side, but none of the points is its mirror image. Name '
            f'the pairs, such as --flip-pairs {names[lonely[0]]}:OTHER, or write --flip-pairs {NO_PAIRS} to train '
            'without mirrored faces'
        )
    return tuple(sorted((i, right[words]) for words, i in left.items()))


def read_pairs(text: str, names: Sequence[str], size: int) -> Pairs:
    """Return the mirror pairs of --flip-pairs: A:B,C:D with names or indices from 0; 'none' for no pairs."""
    if text.strip() == NO_PAIRS:
        return ()
    pairs = []
    for part in text.split(','):
        ends = [end.strip() for end in part.split(':')]
        if len(ends) != 2:
            raise FacelmkError(
                f'--flip-pairs {text}: {part!r} is no pair. Write LEFT:RIGHT,LEFT:RIGHT with names or indices from 0, '
                f'or {NO_PAIRS}'
            )
        pairs.append((_index(ends[0], names, size), _index(ends[1], names, size)))
    return tuple(pairs)


def _index(word: str, names: Sequence[str], size: int) -> int:
    if word in names:
        return list(names).index(word)
    if NUMBERED.fullmatch(word) and word.isdecimal() and int(word) < size:
        return int(word)
    known = did_you_mean(word, names) if names else ''
    raise FacelmkError(f'--flip-pairs: {word!r} is none of the {size} points. {known} Indices: 0 to {size - 1}')


def eyes_of(names: Sequence[str], pairs: Iterable[tuple[int, int]]) -> Mapping[str, tuple]:
    """Return the entries `eyes` and `pupils` of a landmark scheme, as far as the names of the pairs say where they are.

    `eyes` are the outer corners of the eyes, `pupils` their centres.
    """
    found: dict[str, tuple] = {}
    for left, right in pairs:
        words = set(side_of(names[left])[1])
        if 'eye' not in words and 'pupil' not in words:
            continue
        if words & {'outer', 'out', 'lateral', 'exo', 'exocanthion'}:
            found['eyes'] = (left, right)
        elif words <= {'eye', 'pupil', 'center', 'centre', 'iris', 'middle'}:
            found['pupils'] = ((left,), (right,))
    return found
