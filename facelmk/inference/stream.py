"""From pictures and films to faces, whatever network predicts the landmarks of a box. Nothing here needs torch."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np

from ..errors import DataDefect, FacelmkError
from ..faces import Face, Faces
from ..markups import Markup
from .boxes import AUTO, FULL, boxes_in, is_usable
from .detectors.base import Detector
from .films.follow import EVERY, FixedBoxes, Follower, Steps, faces_of_frames
from .films.read import Film, check_read, open_film
from .films.timings import Timings
from .pictures import Picture, is_many, read_picture
from .refine import Candidate, check_min_score, is_face, outlines_face, passes_of, select, warn_if_not_full
from .refine import refine as refine_boxes
from .sources import Item, check_picture, items

ARRAYS = ('landmarks', 'scores', 'errors')  # of a prediction, one number or point for each landmark
Row = tuple[Picture | None, np.ndarray]  # a picture and one box in it
One = str | Path | bytes | np.ndarray  # the forms of one picture that a type checker knows


class PicturePredictor:
    """Reads pictures, finds their faces and predicts the landmarks of each box.

    A subclass defines `predict_boxes`, which runs the network, and `find_detector`. `markup` is the landmark scheme,
    `batch_size` the number of crops in one run of the network, `detector` what `find_detector` accepts; the detector
    is built on first use. `face_markup` names the landmark scheme of the faces that it returns: by default that of the
    network, or the first of two that the network joins.
    """

    def __init__(self, markup: Markup, batch_size: int, detector: Any = None) -> None:
        self.markup, self.batch_size = markup, check_batch_size(batch_size)
        self.face_markup = markup.first or markup.name
        self._detector: Any = detector

    def choose_markup(self, markup: str) -> None:
        """Set the landmark scheme of the faces; raise an error if the points of the network do not suffice."""
        K = self.markup.size
        Face(np.zeros((K, 2), np.float32), np.zeros(K, np.float32), np.zeros(4, np.float32), self.markup).to_markup(
            markup
        )
        self.face_markup = markup

    def predict_boxes(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """Return `landmarks` (K, 2) in pixels of the picture and `scores` (K,) for each picture and box."""
        raise NotImplementedError

    def find_detector(self, spec: Any) -> Detector:
        """Return the detector that a name, a file, a config or a function means."""
        raise NotImplementedError

    @property
    def detector(self) -> Detector:
        """The detector for pictures without boxes."""
        if not isinstance(self._detector, Detector):
            self._detector = self.find_detector(self._detector)
        return self._detector

    @detector.setter
    def detector(self, detector: Any) -> None:
        self._detector = detector

    @overload
    def __call__(
        self,
        images: One,
        boxes: Any = None,
        batch_size: int | None = None,
        detector: Any = None,
        refine: int | None = None,
        min_score: float | None = None,
    ) -> Faces: ...

    @overload
    def __call__(
        self,
        images: Any,
        boxes: Any = None,
        batch_size: int | None = None,
        detector: Any = None,
        refine: int | None = None,
        min_score: float | None = None,
    ) -> Any: ...

    def __call__(
        self,
        images: Any,
        boxes: Any = None,
        batch_size: int | None = None,
        detector: Any = None,
        refine: int | None = None,
        min_score: float | None = None,
    ) -> Faces | list[Faces]:
        """Return the faces of a picture, or of each of several.

        A picture is a path, a URL, the bytes of a file, an array (H, W, 3) BGR, a PIL image or a tensor (3, H, W) RGB;
        several are a list of them or a tensor (B, 3, H, W), with a list of boxes for each. Without `boxes`, or with
        'auto', the detector finds the faces; boxes (x1, y1, x2, y2) give one face each; 'full' makes the full picture
        one box. The other arguments are those of `stream`.
        """
        options = dict(detector=detector, refine=refine, min_score=min_score)
        one_for_all = boxes is None or isinstance(boxes, str)
        if is_many(images):
            if not (one_for_all or (hasattr(boxes, '__len__') and len(boxes) == len(images))):
                given = f'boxes for {len(boxes)}' if hasattr(boxes, '__len__') else f'boxes={boxes!r}'
                raise FacelmkError(f'{len(images)} pictures, and {given}. Give a list of boxes for each picture')
            for image in images:
                check_picture(image)
            return list(self.stream(images, boxes, batch_size, **options))
        check_picture(images)
        (faces,) = self.stream([images], boxes if one_for_all else [boxes], batch_size, **options)
        return faces

    def stream(
        self,
        images: Any,
        boxes: Any = None,
        batch_size: int | None = None,
        skip: Callable[[Any, FacelmkError], None] | None = None,
        detector: Any = None,
        refine: int | None = None,
        min_score: float | None = None,
        smooth: bool = True,
        detect_every: int = EVERY,
    ) -> Iterator[Faces]:
        """Yield the faces of one picture or frame after the other, so that a folder or a film need not fit into memory.

        `images` is a picture, a folder, a pattern such as 'album/*.jpg', a film, the number of a camera, or an iterable
        of these. A batch may join several pictures. A source that cannot be used goes to `skip(source, error)`, and so
        does a film with frames that cannot be read, after its last frame; without `skip` the error is raised, and such
        a film is only logged. `detector` replaces the model's own. `refine` is how often a face is cropped again around
        its landmarks (default: up to 2 times for detected faces, not at all for boxes that you give). Faces with a
        score below `min_score` are left out (default: 0.1 for detected faces of a network with a calibration). For
        `smooth` and `detect_every` see `follow`.
        """
        size = check_batch_size(self.batch_size if batch_size is None else batch_size)
        passes_of(refine, self.markup, detected=True)  # a wrong number is no fault of a picture
        check_min_score(min_score)
        check_batch_size(detect_every, 'detect_every')
        find = None if detector is None else self.find_detector(detector)
        waiting: list[tuple[Faces, list[Candidate]]] = []
        for item in items(images, boxes):
            if isinstance(item, Item) and item.is_film:  # errors of the pictures before it are no fault of the film
                yield from self._fill(waiting, size, min_score)
                waiting = []
            try:
                if not isinstance(item, Item):
                    raise item[1]
                if item.is_film:
                    with open_film(item.source) as film:
                        yield from self.follow(film, item.boxes, size, find, refine, min_score, smooth, detect_every)
                        check_read(film, only_log=skip is None)
                else:
                    image = read_picture(item.source)
                    faces = Faces(image=image, source=item.source)
                    waiting.append((faces, self._candidates(faces, image, item.boxes, find, refine)))
            except FacelmkError as error:
                if skip is None:
                    raise
                skip(item[0], error)
            if max(len(waiting), sum(len(candidates) for _, candidates in waiting)) >= size:
                yield from self._fill(waiting, size, min_score)
                waiting = []
        yield from self._fill(waiting, size, min_score)

    def follow(
        self,
        film: Film,
        boxes: Any = None,
        batch_size: int | None = None,
        detector: Any = None,
        refine: int | None = None,
        min_score: float | None = None,
        smooth: bool = True,
        detect_every: int = EVERY,
        timings: Timings | None = None,
    ) -> Iterator[Faces]:
        """Yield the faces of one frame after the other of an opened film or camera; each face has an `id`.

        A face is detected once and then followed by the box of its landmarks. The detector looks again when a face is
        lost, and every `detect_every` frames. Boxes that you give hold for every frame. With `smooth` a One-Euro filter
        calms the landmarks. `timings` adds up the seconds of each step.
        """
        size = check_batch_size(self.batch_size if batch_size is None else batch_size)
        every = check_batch_size(detect_every, 'detect_every')
        find = None if detector is None else self.find_detector(detector)
        detected = boxes is None or (isinstance(boxes, str) and boxes == AUTO)
        passes_of(refine, self.markup, detected)
        steps = Steps(
            lambda candidates: self._predict(candidates, size),
            lambda faces: self._candidates(faces, np.asarray(faces.image), boxes, find, refine),
            lambda one: is_face(one, min_score),
            Timings() if timings is None else timings,
        )
        if not detected:
            return faces_of_frames(film, FixedBoxes(steps, smooth), self._face, steps.timings)
        follower = Follower(steps, smooth, every, by_detection=not outlines_face(self.markup))
        return faces_of_frames(film, follower, self._face, steps.timings)

    def _candidates(
        self, faces: Faces, image: Picture, boxes: Any, find: Detector | None, refine: int | None
    ) -> list[Candidate]:
        """Return a candidate for each box of a picture: the detector's, those of the user, or the full picture."""
        height, width = image.shape[:2]
        detected = boxes is None or (isinstance(boxes, str) and boxes == AUTO)
        if find is not None and not detected:
            raise FacelmkError('boxes and a detector are given. Expected one of them alone')
        passes = passes_of(refine, self.markup, detected)
        if not detected:
            full = isinstance(boxes, str) and boxes == FULL
            return [Candidate(faces, box, passes, full=full) for box in boxes_in(boxes, width, height)]
        found = zip(*(find or self.detector)(image), strict=True)
        return [
            Candidate(faces, box, passes, float(score))
            for box, score in found
            if is_usable(box.tolist(), width, height)
        ]

    def _fill(
        self, pictures: Sequence[tuple[Faces, list[Candidate]]], size: int, min_score: float | None
    ) -> Iterator[Faces]:
        """Put the faces that are predicted and chosen into the `Faces` of their picture."""
        everything = [one for _, candidates in pictures for one in candidates]
        self._predict(everything, size)
        refine_boxes(everything, lambda moved: self._predict(moved, size))
        for faces, candidates in pictures:
            warn_if_not_full(candidates)
            faces.extend(map(self._face, select(candidates, min_score)))
            yield faces

    def _predict(self, candidates: Sequence[Candidate], size: int) -> None:
        """Predict the landmarks of candidates, `size` of them in one run of the network."""
        for start in range(0, len(candidates), size):
            part = candidates[start : start + size]
            predictions = self.predict_boxes([(one.faces.image, one.box) for one in part])
            for one, prediction in zip(part, predictions, strict=True):
                self._check(prediction)
                one.prediction = prediction

    def _check(self, prediction: dict[str, Any]) -> None:
        """Refuse numbers that are not finite: no score would be high enough, so the face would be left out."""
        for name in (*ARRAYS, 'score'):
            if name in prediction and not np.isfinite(np.asarray(prediction[name])).all():
                raise DataDefect(
                    f'{self} predicts {name} that are not finite. Its weights are damaged, or their training diverged. '
                    'Use other weights'
                )

    def _face(self, one: Candidate) -> Face:
        arrays: dict[str, Any] = {name: np.asarray(one.prediction[name]) for name in ARRAYS if name in one.prediction}
        score = one.prediction.get('score')
        face = Face(
            **arrays,
            box=one.box,
            markup=self.markup,
            image=one.faces.image,
            score=None if score is None else float(score),
        )
        return face.to_markup(self.face_markup)


def check_batch_size(batch_size: Any, name: str = 'batch_size') -> int:
    """Return a batch size, or another number with this name; refuse one that is no whole number from 1."""
    if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise FacelmkError(f'{name}={batch_size!r}. Expected a whole number from 1')
    return int(batch_size)
