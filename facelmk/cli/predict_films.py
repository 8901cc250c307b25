"""Predict the faces of one film or camera: numbers of each frame, and a film of drawings."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FacelmkError, MissingResource, UnwritableOutput
from ..faces import Faces
from ..faces.drawing import show
from ..files.progress import Progress
from ..files.signals import ended_by_ctrl_c, postponed
from ..inference.films.read import Film, open_film
from ..inference.films.timings import DRAW, WRITE, Timings
from ..inference.films.write import NO_SOUND, Writer, has_pyav, open_writer
from ..inference.sources import camera_number
from .found import count

if TYPE_CHECKING:
    from ..inference.stream import PicturePredictor
    from .found import Found

END_KEYS = (ord('q'), 27)  # 27 is Escape
LONG_FRAMES = 200  # of a film whose progress is shown


class Summary:
    """Counts what was found in a film."""

    def __init__(self, name: str) -> None:
        self.name, self.ids = name, set[int]()
        self.frames = self.without_face = 0
        self.time = 0.0

    def add(self, faces: Faces) -> None:
        """Count a frame."""
        self.frames += 1
        self.without_face += not faces
        self.time = faces.time or 0.0
        self.ids |= {face.id for face in faces if face.id is not None}

    def __str__(self) -> str:
        empty = f', {count(self.without_face, "frame")} without a face' if self.without_face else ''
        frames = f'{count(self.frames, "frame")} of {self.name} ({self.time:.1f} s{empty})'
        return f'{count(len(self.ids), "face")} in {frames}'


def predict_film(
    model: 'PicturePredictor', name: str, boxes: Any, out: Path | None, options: argparse.Namespace, found: 'Found'
) -> None:
    """Add a row of numbers for each frame to `found`, or the film's error; write its drawing to `out`."""
    camera = camera_number(name)
    if out is not None and camera is None and not found.films and not has_pyav():
        print(NO_SOUND, file=sys.stderr)
    try:
        with open_film(name if camera is None else camera) as film:
            is_complete = _predict_frames(model, film, name, boxes, out, options, found)
            if is_complete:
                film.check()
    except UnwritableOutput:  # no fault of the film
        raise
    except FacelmkError as error:
        if options.strict or (camera is not None and isinstance(error, MissingResource)):
            raise
        found.fail(name, error)


def _predict_frames(
    model: 'PicturePredictor',
    film: Film,
    name: str,
    boxes: Any,
    out: Path | None,
    options: argparse.Namespace,
    found: 'Found',
) -> bool:
    """Return whether the film was read to its end, and not only for some seconds."""
    summary, timings, is_complete = Summary(name), Timings(), True
    progress = _progress(film, name, options.seconds)
    settings = dict(refine=options.refine, min_score=options.min_score)
    settings |= dict(smooth=options.smooth, detect_every=options.detect_every)
    with ExitStack() as stack:
        writer = None if out is None else stack.enter_context(open_writer(out, film))
        stack.enter_context(_camera_end(film, name))
        for faces in model.follow(film, boxes, timings=timings, **settings):
            if options.seconds is not None and (faces.time or 0.0) >= options.seconds:
                is_complete = False
                break
            with postponed():  # Ctrl-C waits for the end of a row
                if writer is not None or options.show:
                    is_complete = _draw_frame(writer, faces, timings, options.show)
                found.add({'path': name} | faces.to_dict())
                summary.add(faces)
            if progress is not None:
                progress.show(summary.frames)
            if not is_complete:
                break
    found.add_film(str(summary))
    if options.verbose:
        print(f'{name}: {timings}')
    return is_complete


def _draw_frame(writer: Writer | None, faces: Faces, timings: Timings, in_window: bool) -> bool:
    """Write and show the drawing of a frame; return whether the user wants the next one."""
    with timings.measure(DRAW):
        picture = faces.plot()
    if writer is not None:
        with timings.measure(WRITE):
            writer.write(picture, faces.time or 0.0)
    return not in_window or show(picture, f'facelmk {faces.source}', 0.001) not in END_KEYS


def _progress(film: Film, name: str, seconds: float | None) -> Progress | None:
    """Return the progress of a long film whose length is known."""
    total = film.count if seconds is None else min(film.count, int(seconds * film.fps))
    return Progress(f'Frames of {name}', total) if total >= LONG_FRAMES else None


@contextmanager
def _camera_end(film: Film, name: str) -> Iterator[None]:
    """Let Ctrl-C end a camera, and not the command."""
    if not film.is_camera:
        yield
        return
    print(f'Camera {name}: Ctrl-C ends it', file=sys.stderr)
    with ended_by_ctrl_c():
        yield
