"""Follow the faces of a film: crop each around its last landmarks; detect when one is lost, and now and then."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ...faces import Face, Faces
from ...geometry import exact_box, overlaps
from ..detectors.base import suppress
from ..refine import SAME_FACE, Candidate, refine, warn_if_not_full
from .read import Film
from .smoothing import Smoother
from .timings import DETECT, LANDMARKS, READ, Timings
from .tracks import MEMORY_S, CutFinder, Track, match_lost, mean_score

EVERY = 15  # frames from one detection to the next, in which no face was lost
SOON = 3  # frames to the next detection while a lost face may come back
KNOWN = 0.4  # a detected box that overlaps a followed face by more is that face
Seen = tuple[Candidate, int, Smoother | None]  # a face of a frame, its id and its filter


class Steps(NamedTuple):
    """What a film needs of a predictor: the network on candidates, the candidates of a frame, the least score."""

    predict: Callable[[Sequence[Candidate]], None]
    candidates: Callable[[Faces], list[Candidate]]
    is_face: Callable[[Candidate], bool]
    timings: Timings


def faces_of_frames(
    film: Film, find: Callable[[Faces], list[Seen]], face_of: Callable[[Candidate], Face], timings: Timings
) -> Iterator[Faces]:
    """Yield the faces of each frame that `find` finds, with their ids and smoothed landmarks."""
    frames = iter(film)
    while True:
        with timings.measure(READ):
            frame = next(frames, None)
        if frame is None:
            return
        timings.frames += 1
        faces = Faces(image=frame.image, source=film.source, frame=frame.number, time=frame.time)
        for one, number, smoother in find(faces):
            if smoother is not None:
                one.prediction['landmarks'] = smoother(np.asarray(one.prediction['landmarks']), frame.time)
            faces.append(replace(face_of(one), id=number))
        yield faces


class FixedBoxes:
    """The faces in boxes that the user gives, the same in every frame; the id of a face is the number of its box."""

    def __init__(self, steps: Steps, smooth: bool) -> None:
        self.steps, self.smooth = steps, smooth
        self.smoothers: list[Smoother] = []

    def __call__(self, faces: Faces) -> list[Seen]:
        with self.steps.timings.measure(LANDMARKS):
            candidates = self.steps.candidates(faces)
            self.steps.predict(candidates)
            refine(candidates, self.steps.predict)
        if faces.frame == 0:
            warn_if_not_full(candidates)
            self.smoothers = [Smoother() for _ in candidates]
        smoothers = self.smoothers if self.smooth else [None] * len(candidates)
        numbered = zip(candidates, range(1, len(candidates) + 1), smoothers, strict=True)
        return [seen for seen in numbered if self.steps.is_face(seen[0])]


class Follower:
    """Gives each face of a film an id and its landmarks, frame by frame.

    With `by_detection` each frame is detected: the landmarks' box is not the box that the network was trained with.
    """

    def __init__(self, steps: Steps, smooth: bool = True, every: int = EVERY, by_detection: bool = False) -> None:
        self.steps, self.smooth, self.every, self.by_detection = steps, smooth, every, by_detection
        self.tracks: list[Track] = []
        self.lost: list[Track] = []
        self.is_cut = CutFinder()
        self.next_id, self.since_detection = 1, every

    def __call__(self, faces: Faces) -> list[Seen]:
        """Return the faces of a frame, by id."""
        time = faces.time or 0.0
        image = np.asarray(faces.image)
        if self.is_cut(image):
            self.tracks, self.lost = [], []
        if self.by_detection:
            self.tracks, self.lost = [], self.lost + self.tracks
        self.lost = [track for track in self.lost if time - track.time <= MEMORY_S]
        before = len(self.tracks)
        seen = self._follow(faces, time)
        self.since_detection += 1
        unsure = bool(self.lost) or any(track.is_weak for _, track in seen)
        if len(seen) < max(before, 1) or self.since_detection >= (min(SOON, self.every) if unsure else self.every):
            seen = self._find(faces, time, seen)
            self.since_detection = 0
        self.tracks = [track for _, track in seen]
        return [(one, track.id, track.smoother) for one, track in sorted(seen, key=lambda pair: pair[1].id)]

    def _follow(self, faces: Faces, time: float) -> list[tuple[Candidate, Track]]:
        """Predict in the crop of each face of the last frame; those that are not there any more become lost."""
        height, width = np.asarray(faces.image).shape[:2]
        candidates = [(Candidate(faces, track.at(time, track.crop), 0, 1.0), track) for track in self.tracks]
        inside = [pair for pair in candidates if _is_inside(pair[0].box, width, height)]
        with self.steps.timings.measure(LANDMARKS):
            self.steps.predict([one for one, _ in inside])
        good = [(one, track) for one, track in inside if not track.is_lost(one.prediction) and self.steps.is_face(one)]
        boxes = np.array([exact_box(one.prediction['landmarks']) for one, _ in good]).reshape(-1, 4)
        ages = np.array([-track.id for _, track in good], np.float32)  # of two tracks on one face the older one stays
        seen = [good[i] for i in suppress(boxes, ages, SAME_FACE)]
        followed = {track.id for _, track in seen}
        self.lost += [track for track in self.tracks if track.id not in followed]
        for one, track in seen:
            track.update(one.prediction, one.box, time)
        return seen

    def _find(
        self, faces: Faces, time: float, seen: Sequence[tuple[Candidate, Track]]
    ) -> list[tuple[Candidate, Track]]:
        """Return the faces of a frame with those that the detector finds: new ones, lost ones, and weak ones again.

        A lost face that is near its old place gets its id back. A weak one gets what is better.
        """
        with self.steps.timings.measure(DETECT):
            candidates = self.steps.candidates(faces)
        known = [track.box for _, track in seen if not track.is_weak]
        if known and candidates:
            apart = overlaps([one.box for one in candidates], known).max(1) <= KNOWN
            candidates = [one for one, is_new in zip(candidates, apart, strict=True) if is_new]
        with self.steps.timings.measure(LANDMARKS):
            self.steps.predict(candidates)
            refine(candidates, self.steps.predict)
        candidates = [one for one in candidates if self.steps.is_face(one) and _has_area(one)]
        new, seen = _improve(seen, self._new_ones(candidates, known), time)
        boxes = [exact_box(one.prediction['landmarks']) for one in new]
        matched = match_lost(self.lost, boxes, time)
        found = []
        for i, (one, box) in enumerate(zip(new, boxes, strict=True)):
            track = matched.get(i) or self._new_track(one, box, time)
            track.update(one.prediction, one.box, time)
            found.append((one, track))
        taken = {track.id for track in matched.values()}
        self.lost = [track for track in self.lost if track.id not in taken]
        return [*seen, *found]

    def _new_ones(self, candidates: Sequence[Candidate], known: Sequence[np.ndarray]) -> list[Candidate]:
        """Return candidates on different faces, and not on a face that is known."""
        boxes = np.array([exact_box(one.prediction['landmarks']) for one in candidates]).reshape(-1, 4)
        scores = np.array([one.detection_score or 0.0 for one in candidates])
        chosen = [int(i) for i in suppress(boxes, scores, SAME_FACE)]
        if known:
            chosen = [i for i in chosen if overlaps([boxes[i]], known).max() <= SAME_FACE]
        return [candidates[i] for i in chosen]

    def _new_track(self, one: Candidate, box: np.ndarray, time: float) -> Track:
        number, self.next_id = self.next_id, self.next_id + 1
        smoother = Smoother() if self.smooth else None
        return Track(number, box, time, one.box, mean_score(one.prediction), smoother=smoother)


def _is_inside(box: np.ndarray, width: int, height: int) -> bool:
    """Whether the centre of a box lies in the picture."""
    x, y = (box[:2] + box[2:]) / 2
    return bool(np.isfinite(box).all() and 0 <= x < width and 0 <= y < height and (box[2:] - box[:2]).min() >= 2)


def _improve(
    seen: Sequence[tuple[Candidate, Track]], new: Sequence[Candidate], time: float
) -> tuple[list[Candidate], list[tuple[Candidate, Track]]]:
    """Return the candidates that are on no weak face, and the faces, a weak one with the better of two candidates."""
    boxes = [exact_box(one.prediction['landmarks']) for one in new]
    left, improved = set(range(len(new))), []
    for one, track in seen:
        same = [i for i in sorted(left) if track.is_weak and overlaps([track.box], [boxes[i]])[0, 0] > KNOWN]
        left -= set(same[:1])
        if same and new[same[0]].score > one.score:
            one = new[same[0]]
            track.update(one.prediction, one.box, time)
        improved.append((one, track))
    return [new[i] for i in sorted(left)], improved


def _has_area(one: Candidate) -> bool:
    box = exact_box(one.prediction['landmarks'])
    return bool((box[2:] > box[:2]).all())
