"""Predict the faces of one film or camera: numbers of each frame, and a film of drawings."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FacelmkError, MissingResource
from ..files.progress import Progress
from ..files.signals import ended_by_ctrl_c
from ..inference.films.read import Film, open_film
from ..inference.films.timings import DRAW, WRITE, Timings
from ..inference.films.write import NO_SOUND, has_pyav, open_writer
from ..inference.sources import camera_number
from .found import count

if TYPE_CHECKING:
    from ..inference.stream import PicturePredictor
    from .found import Found

LONG_FRAMES = 200  # of a film whose progress is shown


def predict_film(
    model: 'PicturePredictor', name: str, boxes: Any, out: Path | None, options: argparse.Namespace, found: 'Found'
) -> None:
    """Add a row of numbers for each frame to `found`, or the film's error; write its drawing to `out`."""
    camera = camera_number(name)
    try:
        with open_film(name if camera is None else camera) as film:
            is_complete = _draw_film(model, film, name, boxes, out, options, found)
            if is_complete:
                film.check()
    except FacelmkError as error:
        if options.strict or (camera is not None and isinstance(error, MissingResource)):
            raise
        found.fail(name, error)


def _draw_film(
    model: 'PicturePredictor',
    film: Film,
    name: str,
    boxes: Any,
    out: Path | None,
    options: argparse.Namespace,
    found: 'Found',
) -> bool:
    """Return whether the film was read to its end, and not only for some seconds."""
    timings, ids, frames, without_face, time = Timings(), set[int](), 0, 0, 0.0
    progress = None if film.is_camera else _progress(film, name, options.seconds)
    settings = dict(refine=options.refine, min_score=options.min_score)
    settings |= dict(smooth=options.smooth, detect_every=options.detect_every)
    is_complete = True
    if out is not None and not film.is_camera and not found.films and not has_pyav():
        print(NO_SOUND, file=sys.stderr)
    with ExitStack() as stack:
        writer = None if out is None else stack.enter_context(open_writer(out, film))
        stack.enter_context(_camera_end(film, name))
        for faces in model.follow(film, boxes, timings=timings, **settings):
            time = faces.time or 0.0
            if options.seconds is not None and time >= options.seconds:
                is_complete = False
                break
            if writer is not None:
                with timings.measure(DRAW):
                    picture = faces.plot()
                with timings.measure(WRITE):
                    writer.write(picture, time)
            found.add({'path': name} | faces.to_dict())
            ids |= {face.id for face in faces if face.id is not None}
            frames, without_face = frames + 1, without_face + (not faces)
            if progress is not None:
                progress.show(frames)
    empty = f', {without_face} of them without a face' if without_face else ''
    found.add_film(f'{count(len(ids), "face")} in {count(frames, "frame")}{empty} of {name} ({time:.1f} s)')
    if options.verbose:
        print(f'{name}: {timings}')
    return is_complete


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
