"""Results of all ranks, merged by face: every face of the data set once, or an error that names what is amiss."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import torch

from ..errors import FacelmkError, TrainingFault

Row = TypeVar('Row', bound=tuple)
NAMED = 8  # ids in a message


class Share(NamedTuple):
    """What a rank brings: its rows as they travel, its samples without a prediction, and the size of its data set."""

    rows: Any
    missing: list[str]
    size: int


def gather(own: Any) -> list[Any]:
    """What every rank brings, in rank order."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return [own]
    brought: list[Any] = [None] * torch.distributed.get_world_size()
    try:
        torch.distributed.all_gather_object(brought, own)
    except RuntimeError as error:
        raise TrainingFault(
            'the results of the ranks cannot be joined: one of them has ended, or did not answer '
            f'within the time-out (env_cfg.dist_cfg.timeout, in seconds). Its own log says why. {error}'
        ) from error
    return brought


def merge(shares: Sequence[Sequence[Row]]) -> list[Row]:
    """One row a face, in the order of ids; where the sampler's padding measured a face twice, the first counts."""
    faces: dict[Any, Row] = {}
    for share in shares:
        for row in share:
            faces.setdefault(row[0], row)
    return [faces[key] for key in sorted(faces, key=str)]


def check_sizes(sizes: Sequence[int], loader: str = '') -> None:
    """Refuse ranks that read data sets of different sizes."""
    if len(set(sizes)) > 1:
        told = ', '.join(f'rank {rank} has {size}' for rank, size in enumerate(sizes))
        raise FacelmkError(
            f'{loader and f"{loader}: "}the ranks read different data sets: {told} faces. Give all of '
            'them the same files'
        )


def check_missing(missing: Sequence[Sequence[str]]) -> None:
    """Refuse samples that a rank was handed and gave no prediction for."""
    if any(missing):
        told = '; '.join(f'rank {rank}: {name_some(ids)}' for rank, ids in enumerate(missing) if ids)
        raise FacelmkError(f'samples without a prediction: {told}. Every sample of a batch needs one, under its id')


def doubles(shares: Sequence[Sequence[Any]], size: int) -> set[Any]:
    """The ids that were measured twice and should not have been.

    Padding, which evens the ranks out, repeats faces in one way only: every rank has ceil(size / ranks) rows, none of
    them has a face twice, and there are as many repeats as rows beyond `size`. Any other repeat is none of its own.
    """
    share = -(-size // len(shares))
    repeated = {key for key, times in Counter(key for keys in shares for key in keys).items() if times > 1}
    surplus = sum(map(len, shares)) - len({key for keys in shares for key in keys})
    padded = all(len(keys) == share == len(set(keys)) for keys in shares)
    return repeated if not (padded and surplus == share * len(shares) - size) else set()


def check_count(found: int, size: int, counts: Sequence[int]) -> None:
    """Refuse a number of faces that is not the data set's."""
    if found != size:
        told = ', '.join(f'rank {rank} {count}' for rank, count in enumerate(counts))
        raise FacelmkError(
            f'{found} faces were measured, the data set has {size}; rows: {told}. The sampler of the '
            'data loader must hand out every face: FaceSampler does'
        )


def name_some(ids: Iterable[Any]) -> str:
    """The first few ids, and how many more there are."""
    names = sorted(map(str, ids))
    more = f' and {len(names) - NAMED} more' if len(names) > NAMED else ''
    return ', '.join(map(repr, names[:NAMED])) + more
