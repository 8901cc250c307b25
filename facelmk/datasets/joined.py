"""Several data sets as one, with every face in one landmark scheme; and one data set repeated several times."""

import bisect
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import FacelmkError, MissingResource, UnknownName, did_you_mean
from ..files.notes import note
from ..markups import MARKUPS, convert
from ..registry import DATASETS
from .base import FaceDataset, FaceRecord, Transform

Part = FaceDataset | Mapping[str, Any]


class Member(NamedTuple):
    """One of the joined data sets: the prefix of its ids, the tags that its faces get, and its weight."""

    name: str
    dataset: FaceDataset
    tags: tuple[str, ...]
    weight: float

    @property
    def length(self) -> int:
        """How many faces it contributes to an epoch."""
        return round(self.weight * len(self.dataset))


@DATASETS.register_module()
class JoinedFaces(FaceDataset):
    """Data sets one after the other, each converted to `markup` point by point; points that a face lacks are invisible.

    A member is a data set, or dict(dataset=..., name=..., tags=(...), optional=True): `name` is the prefix of its ids,
    all its faces get `tags`, and an optional member may be missing on the disk, which is logged. Only the joined set
    has a pipeline.
    `weights`, one number for each member, say how often its faces occur in an epoch: 2 is twice; .25 is a quarter of
    them, sampled again in each epoch from the seed of the run. `subsets`, `headline` and `whole` are those of
    `FaceDataset`; by default the subsets are those of the members and the tags that they get.
    """

    ranges = {'weights': (0, 1000, True)}

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
        self.members = _build_members(datasets, weights)
        names = [member.dataset.markup.name for member in self.members]
        if markup is None and len(set(names)) > 1:
            raise FacelmkError(
                f'JoinedFaces: its members have the landmark schemes {", ".join(names)}. Choose one with markup=...'
            )
        if subsets is None:
            tags = [name for member in self.members for name in (*member.dataset.subsets, *member.tags)]
            subsets = tuple(dict.fromkeys(tags))
        super().__init__(markup or names[0], pipeline, subsets, headline, whole)
        for name in names:
            size = MARKUPS[name].size
            convert(np.zeros((size, 2)), np.zeros(size), name, self.markup.name)  # raises now if there is no conversion
        self.starts = [0, *itertools.accumulate(member.length for member in self.members)]
        self._orders: dict[int, tuple[int, int, NDArray[np.int64]]] = {}

    def each_face_once(self) -> FaceDataset:
        members = [
            dict(dataset=member.dataset.each_face_once(), name=member.name, tags=member.tags) for member in self.members
        ]
        return JoinedFaces(members, self.markup.name)

    def __len__(self) -> int:
        return self.starts[-1]

    def face(self, index: int) -> FaceRecord:
        return self.face_in_epoch(0, 0, index)

    def face_in_epoch(self, seed: int, epoch: int, index: int) -> FaceRecord:
        """Return a face of a member in the joined landmark scheme, with the member's name before its id."""
        number = bisect.bisect_right(self.starts, index) - 1
        member = self.members[number]
        repeat, row = divmod(index - self.starts[number], len(member.dataset))
        if (repeat + 1) * len(member.dataset) > member.length:
            row = int(self._order(seed, epoch, number)[row])
        face = member.dataset.face_in_epoch(seed, epoch, row)
        points, visible = convert(face['landmarks'], face['visible'], member.dataset.markup.name, self.markup.name)
        return face | {
            'id': _repeated_id(f'{member.name}/{face["id"]}', repeat),
            'landmarks': points,
            'visible': visible,
            'tags': tuple(dict.fromkeys((*face['tags'], *member.tags))),
        }

    def _order(self, seed: int, epoch: int, number: int) -> NDArray[np.int64]:
        """Return the random order of a member's faces in an epoch that does not contain all of them."""
        if number not in self._orders or self._orders[number][:2] != (seed, epoch):
            order = np.random.default_rng([seed, epoch, number]).permutation(len(self.members[number].dataset))
            self._orders[number] = seed, epoch, order
        return self._orders[number][2]


@DATASETS.register_module()
class RepeatedFaces(FaceDataset):
    """A data set repeated `times` times in each epoch; each time a face is augmented differently."""

    ranges = {'times': (1, 10_000)}

    def __init__(self, dataset: Part, times: int, pipeline: Sequence[dict | Transform] = ()) -> None:
        if not isinstance(times, int) or times < 1:
            raise FacelmkError(f'RepeatedFaces: times={times!r}. Expected an integer >= 1')
        self.dataset, self.times = build_without_pipeline(dataset), times
        inner = self.dataset
        super().__init__(inner.markup.name, pipeline, inner.subsets, inner.headline, inner.whole)

    def each_face_once(self) -> FaceDataset:
        return self.dataset.each_face_once()

    def __len__(self) -> int:
        return self.times * len(self.dataset)

    def face(self, index: int) -> FaceRecord:
        return self.face_in_epoch(0, 0, index)

    def face_in_epoch(self, seed: int, epoch: int, index: int) -> FaceRecord:
        """Return a face of the data set; its id contains the number of the repetition."""
        repeat, row = divmod(index, len(self.dataset))
        face = self.dataset.face_in_epoch(seed, epoch, row)
        return face | {'id': _repeated_id(face['id'], repeat)}


def _repeated_id(name: str, repeat: int) -> str:
    """Return a different id for each repetition, because random draws depend on the id."""
    return f'{name}@{repeat + 1}' if repeat else name


def build_without_pipeline(part: Part) -> FaceDataset:
    """Return a data set of faces, which a config may name; its pipeline belongs to the set that contains it."""
    dataset = DATASETS.build(dict(part)) if isinstance(part, Mapping) else part
    if not isinstance(dataset, FaceDataset):
        raise FacelmkError(f'{type(dataset).__name__} is no FaceDataset. Expected a data set of annotated faces')
    if dataset.pipeline:
        raise FacelmkError(
            f'{type(dataset).__name__} has a pipeline. Give the pipeline to the data set that contains it'
        )
    return dataset


def _build_members(datasets: Sequence[Part], weights: Sequence[float] | None) -> list[Member]:
    weights = [1.0] * len(datasets) if weights is None else list(weights)
    if len(weights) != len(datasets) or min(weights, default=0) <= 0:
        raise FacelmkError(
            f'JoinedFaces: weights={weights!r} for {len(datasets)} data sets. Give one number above 0 for each'
        )
    members: list[Member] = []
    for part, weight in zip(datasets, weights, strict=True):
        options = _member_options(part)
        try:
            dataset = build_without_pipeline(options['dataset'])
        except MissingResource as error:
            if not options.get('optional'):
                raise
            note(f'left out because it is optional: {error}')
            continue
        name = str(options.get('name') or _default_name(options['dataset']))
        candidates = itertools.chain([name], (f'{name}_{i}' for i in itertools.count(2)))
        used = {member.name for member in members}
        unused = next(candidate for candidate in candidates if candidate not in used)
        members.append(Member(unused, dataset, tuple(options.get('tags') or ()), weight))
    if not members:
        raise MissingResource('JoinedFaces: all of its data sets are missing. The log says what each of them lacks')
    return members


def _member_options(part: Part) -> Mapping[str, Any]:
    """Return a member as dict(dataset=..., ...), however it is written."""
    if not isinstance(part, Mapping) or 'type' in part:
        return {'dataset': part}
    known = ('dataset', 'name', 'tags', 'optional')
    if unknown := next((key for key in part if key not in known), None):
        raise UnknownName(f'a member of JoinedFaces has no option {unknown!r}. {did_you_mean(unknown, known)}')
    if 'dataset' not in part:
        raise FacelmkError(f'JoinedFaces: {dict(part)!r} names no data set. Write type=..., or dataset=dict(type=...)')
    return part


def _default_name(part: Part) -> str:
    """Return the name of a data set for which the config gives none: folder and split, or the landmark scheme."""
    if not isinstance(part, Mapping):
        return part.markup.name
    folder = Path(str(part.get('root') or part.get('data_root') or '')).name
    return '_'.join(filter(None, (folder, part.get('split')))) or str(part.get('markup') or part['type'])
