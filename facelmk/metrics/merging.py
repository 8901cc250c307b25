"""Merge the results of all ranks by face: each face of the data set once, or an error that names the wrong ones."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import torch

from ..errors import FacelmkError, TrainingFault

Row = TypeVar('Row', bound=tuple)
MAX_NAMED_IDS = 8  # in a message


class Share(NamedTuple):
    """The results of one rank: packed rows, ids of samples without a prediction, and the size of its data set."""

    rows: Any
    missing: list[str]
    size: int


def gather(value: Any) -> list[Any]:
    """Return the values of all ranks, in the order of the ranks."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return [value]
    values: list[Any] = [None] * torch.distributed.get_world_size()
    try:
        torch.distributed.all_gather_object(values, value)
    except RuntimeError as error:
        raise TrainingFault(
            'the results of the ranks cannot be gathered: one rank has ended, or did not answer '
            f'within the time-out (env_cfg.dist_cfg.timeout, in seconds). Read its log for the reason. {error}'
        ) from error
    return values


def merge(shares: Sequence[Sequence[Row]]) -> list[Row]:
    """Return one row a face, in the order of ids; of a face that the sampler gave out twice as padding, the first."""
    faces: dict[Any, Row] = {}
    for share in shares:
        for row in share:
            faces.setdefault(row[0], row)
    return [faces[key] for key in sorted(faces, key=str)]


def check_sizes(sizes: Sequence[int], loader: str = '') -> None:
    """Refuse data sets whose size differs between ranks."""
    if len(set(sizes)) > 1:
        listed = ', '.join(f'rank {rank} has {size}' for rank, size in enumerate(sizes))
        raise FacelmkError(
            f'{loader and f"{loader}: "}the ranks read different data sets: {listed} faces. Give all of '
            'them the same files'
        )


def check_missing(missing: Sequence[Sequence[str]]) -> None:
    """Refuse samples without a prediction."""
    if any(missing):
        listed = '; '.join(f'rank {rank}: {name_some(ids)}' for rank, ids in enumerate(missing) if ids)
        raise FacelmkError(f'samples without a prediction: {listed}. Every sample of a batch needs one, under its id')


def duplicate_ids(shares: Sequence[Sequence[Any]], size: int) -> set[Any]:
    """Return the ids that were measured twice, unless the sampler's padding explains all of them.

    A sampler pads so that every rank has the same number of rows, ceil(size / ranks). Then no rank has a face twice,
    and the number of repeated rows is the number of rows beyond `size`.
    """
    share = -(-size // len(shares))
    repeated = {key for key, times in Counter(key for keys in shares for key in keys).items() if times > 1}
    surplus = sum(map(len, shares)) - len({key for keys in shares for key in keys})
    padded = all(len(keys) == share == len(set(keys)) for keys in shares)
    return repeated if not (padded and surplus == share * len(shares) - size) else set()


def check_count(measured: int, size: int, counts: Sequence[int]) -> None:
    """Refuse a number of measured faces that is not the size of the data set."""
    if measured != size:
        listed = ', '.join(f'rank {rank} {count}' for rank, count in enumerate(counts))
        raise FacelmkError(
            f'{measured} faces were measured, the data set has {size}; rows: {listed}. The sampler of the '
            'data loader must return every face. Use FaceSampler'
        )


def name_some(ids: Iterable[Any]) -> str:
    """Return the first few ids as text, and the number of the others."""
    names = sorted(map(str, ids))
    more = f' and {len(names) - MAX_NAMED_IDS} more' if len(names) > MAX_NAMED_IDS else ''
    return ', '.join(map(repr, names[:MAX_NAMED_IDS])) + more
