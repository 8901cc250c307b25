"""Several data sets as one, every face in one mark-up; and one data set several times over."""

import bisect
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmengine.logging import print_log
from numpy.typing import NDArray

from ..errors import FacelmkError, MissingResource, UnknownName, did_you_mean
from ..markups import MARKUPS, convert
from ..registry import DATASETS
from .base import FaceDataset, FaceRecord, Transform

Part = FaceDataset | Mapping[str, Any]


class Member(NamedTuple):
    """A data set among others: its name before every id, the tags that its faces are given, and its share."""

    name: str
    dataset: FaceDataset
    tags: tuple[str, ...]
    weight: float

    @property
    def length(self) -> int:
        """How many faces it gives to an epoch."""
        return round(self.weight * len(self.dataset))


@DATASETS.register_module()
class JoinedFaces(FaceDataset):
    """Data sets one behind the other, each converted to `markup`, point by point; what a face lacks is invisible.

    A member is a data set, or dict(dataset=..., name=..., tags=(...), optional=True): `name` stands before the ids of
    its faces, `tags` are given to all of them, an optional member may be missing on the disk, which the log then says.
    The pipeline is that of the whole; members have none.
    `weights`, one number a member, say how often its faces come in an epoch: 2 is twice, .25 a quarter of them, drawn
    anew each epoch from the run's seed. `subsets`, `headline` and `whole` are those of `FaceDataset`; left out, the
    subsets are the members' own and the tags they are given.
    """

    def __init__(
        self,
        datasets: Sequence[Part],
        markup: str | None = None,
        weights: Sequence[float] | None = None,
        subsets: Sequence[str] | None = None,
        headline: str | None = None,
        whole: str | None = None,
        pipeline: Sequence[dict | Transform] = (),
    ) -> None:
        self.members = _members(datasets, weights)
        names = [member.dataset.markup.name for member in self.members]
        if markup is None and len(set(names)) > 1:
            raise FacelmkError(
                f'JoinedFaces: its sets have the mark-ups {", ".join(names)}; say with markup=... which '
                'one all faces shall have'
            )
        own = [name for member in self.members for name in (*member.dataset.subsets, *member.tags)]
        super().__init__(
            markup or names[0], pipeline, tuple(dict.fromkeys(own)) if subsets is None else subsets, headline, whole
        )
        for name in names:
            size = MARKUPS[name].size
            convert(np.zeros((size, 2)), np.zeros(size), name, self.markup.name)  # a missing map is told at once
        self.starts = [0, *itertools.accumulate(member.length for member in self.members)]
        self._orders: dict[int, tuple[int, int, NDArray[np.int64]]] = {}

    def __len__(self) -> int:
        return self.starts[-1]

    def face(self, index: int) -> FaceRecord:
        return self.drawn(0, 0, index)

    def drawn(self, seed: int, epoch: int, index: int) -> FaceRecord:
        """A member's row under the whole's mark-up, with the member's name before its id."""
        number = bisect.bisect_right(self.starts, index) - 1
        member = self.members[number]
        again, place = divmod(index - self.starts[number], len(member.dataset))
        if (again + 1) * len(member.dataset) > member.length:
            place = int(self._order(seed, epoch, number)[place])
        face = member.dataset.drawn(seed, epoch, place)
        points, visible = convert(face['landmarks'], face['visible'], member.dataset.markup.name, self.markup.name)
        return face | {
            'id': _numbered(f'{member.name}/{face["id"]}', again),
            'landmarks': points,
            'visible': visible,
            'tags': tuple(dict.fromkeys((*face['tags'], *member.tags))),
        }

    def _order(self, seed: int, epoch: int, number: int) -> NDArray[np.int64]:
        """In which order a member's faces are drawn in an epoch that has no room for all of them."""
        if number not in self._orders or self._orders[number][:2] != (seed, epoch):
            order = np.random.default_rng([seed, epoch, number]).permutation(len(self.members[number].dataset))
            self._orders[number] = seed, epoch, order
        return self._orders[number][2]


@DATASETS.register_module()
class RepeatedFaces(FaceDataset):
    """A data set `times` times over, so that an epoch is longer; each time a face is augmented in another way."""

    def __init__(self, dataset: Part, times: int, pipeline: Sequence[dict | Transform] = ()) -> None:
        if not isinstance(times, int) or times < 1:
            raise FacelmkError(f'RepeatedFaces: times={times!r}; it is a whole number from 1 on')
        self.dataset, self.times = _bare(dataset), times
        super().__init__(
            self.dataset.markup.name, pipeline, self.dataset.subsets, self.dataset.headline, self.dataset.whole
        )

    def __len__(self) -> int:
        return self.times * len(self.dataset)

    def face(self, index: int) -> FaceRecord:
        return self.drawn(0, 0, index)

    def drawn(self, seed: int, epoch: int, index: int) -> FaceRecord:
        """The data set's row, whose id says the how manieth time it is."""
        again, place = divmod(index, len(self.dataset))
        face = self.dataset.drawn(seed, epoch, place)
        return face | {'id': _numbered(face['id'], again)}


def _numbered(name: str, again: int) -> str:
    """An id of its own for each time a face comes: random draws are made from it."""
    return f'{name}@{again + 1}' if again else name


def _bare(part: Part) -> FaceDataset:
    """A data set without a pipeline."""
    dataset = DATASETS.build(dict(part)) if isinstance(part, Mapping) else part
    if not isinstance(dataset, FaceDataset):
        raise FacelmkError(f'{type(dataset).__name__} says not what a face is; only our data sets can be joined')
    if dataset.pipeline:
        raise FacelmkError(
            f'{type(dataset).__name__} has a pipeline of its own; give the pipeline to the set that joins or repeats it'
        )
    return dataset


def _members(datasets: Sequence[Part], weights: Sequence[float] | None) -> list[Member]:
    shares = [1.0] * len(datasets) if weights is None else list(weights)
    if len(shares) != len(datasets) or min(shares, default=0) <= 0:
        raise FacelmkError(
            f'JoinedFaces: weights={weights!r} for {len(datasets)} data sets; give one number above 0 for each'
        )
    members: list[Member] = []
    for part, share in zip(datasets, shares, strict=True):
        row = _row(part)
        dataset = _present(row)
        if dataset is not None:
            name = _free(str(row.get('name') or _called(row['dataset'])), [member.name for member in members])
            members.append(Member(name, dataset, tuple(row.get('tags') or ()), share))
    if not members:
        raise MissingResource('JoinedFaces: none of its data sets is there; the log says what each of them lacks')
    return members


def _row(part: Part) -> Mapping[str, Any]:
    """A member as dict(dataset=..., ...), however it is written."""
    if not isinstance(part, Mapping) or 'type' in part:
        return {'dataset': part}
    known = ('dataset', 'name', 'tags', 'optional')
    if unknown := next((key for key in part if key not in known), None):
        raise UnknownName(f'a member of JoinedFaces takes no {unknown!r}. {did_you_mean(unknown, known)}')
    if 'dataset' not in part:
        raise FacelmkError(f'JoinedFaces: {dict(part)!r} names no data set; write type=..., or dataset=dict(type=...)')
    return part


def _present(row: Mapping[str, Any]) -> FaceDataset | None:
    try:
        return _bare(row['dataset'])
    except MissingResource as error:
        if not row.get('optional'):
            raise
        print_log(f'left out, as the config allows: {error}', logger='current')
        return None


def _called(part: Part) -> str:
    """What a data set is called where the config gives no name: its folder and split, or its mark-up."""
    if not isinstance(part, Mapping):
        return part.markup.name
    folder = Path(str(part.get('root') or part.get('data_root') or '')).name
    return '_'.join(filter(None, (folder, part.get('split')))) or str(part.get('markup') or part['type'])


def _free(name: str, taken: Sequence[str]) -> str:
    return next(
        f'{name}_{i}' if i > 1 else name for i in itertools.count(1) if (f'{name}_{i}' if i > 1 else name) not in taken
    )
