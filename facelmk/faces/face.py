"""One predicted face: its landmarks, what can be made of them, and its crops."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import FacelmkError
from ..files.atomic import write_bytes
from ..markups import MARKUPS, Markup, convert
from .crops import ARCFACE_SIZE, align, crop, cut, enlarge, is_inside
from .drawing import draw
from .notebook import figure
from .tables import pts_text


@dataclass(repr=False, eq=False)
class Face:
    """A predicted face: landmarks (K, 2) in pixels of the photograph, scores (K,), box (4,) and landmark scheme.

    `errors` (K,) are the expected errors of the landmarks in pixels of the photograph. `score`, from 0 to 1, is the
    probability that the landmarks are good; it is low where there is no face. Both are None for a network without a
    calibration. `image` is the photograph (H, W, 3), BGR; faces of one photograph share it. In a film, `id` is the same
    number in all frames that show the face; otherwise it is None.
    """

    landmarks: NDArray[np.float32]
    scores: NDArray[np.float32]
    box: NDArray[np.float32]
    markup: Markup
    image: NDArray[np.uint8] | None = None
    errors: NDArray[np.float32] | None = None
    score: float | None = None
    id: int | None = None

    def __repr__(self) -> str:
        return f'Face({len(self.landmarks)} landmarks of {self.markup.name!r}, box {np.round(self.box, 1).tolist()})'

    def five_points(self) -> NDArray[np.float32]:
        """Return left eye, right eye, nose tip, left and right mouth corner, (5, 2); left means left in the image."""
        return self.markup.five_points(self.landmarks)

    def to_markup(self, name: str) -> 'Face':
        """Return the face in another landmark scheme, such as the 68 points of '300w' from the 98 of 'wflw'."""
        if name == self.markup.name:
            return self
        errors = self.scores if self.errors is None else self.errors
        columns = np.column_stack((self.landmarks, self.scores, errors))
        columns, known = convert(columns, np.ones(len(columns), np.float32), self.markup.name, name)
        if not known.all():
            raise FacelmkError(
                f'{int((known == 0).sum())} of the {len(known)} landmarks of {name!r} cannot be computed from '
                f'{self.markup.name!r}. Choose a model with the scheme {name!r}'
            )
        return replace(
            self,
            landmarks=columns[:, :2].copy(),
            scores=columns[:, 2],
            errors=None if self.errors is None else columns[:, 3],
            markup=MARKUPS[name],
        )

    def align(self, size: int = ARCFACE_SIZE) -> NDArray[np.uint8]:
        """Return the crop that recognition networks expect, (size, size, 3) BGR: the five points lie on ArcFace's."""
        return align(self._photograph('cut the crop from'), self.five_points(), size)

    def crop(self, size: int | None = None, margin: float = 0.25) -> NDArray[np.uint8]:
        """Return the face with some of what is around it, upright as in the photograph, BGR.

        `margin` is added on all sides, in widths and heights of the box. With `size` the crop is square and of that
        size, with black outside of the photograph; otherwise it has the pixels of the photograph, as far as they go.
        """
        return crop(self._photograph('cut the crop from'), self.box, size, margin)

    def to_pts(self, path: str | Path) -> Path:
        """Write the landmarks as a .pts file; return the path."""
        write_bytes(Path(path), pts_text(self.landmarks).encode())
        return Path(path)

    def _photograph(self, purpose: str) -> NDArray[np.uint8]:
        if self.image is None:
            raise FacelmkError(f'Face.image is None. Set it to the photograph (H, W, 3), BGR, to {purpose}')
        return self.image

    def _repr_html_(self) -> str:
        """Return the face for a notebook: its crop with landmarks, and its text."""
        box = enlarge(self.box, 0.25)
        if self.image is None or not is_inside(box, self.image):
            return figure(None, repr(self))
        return figure(cut(draw(self.image, self.landmarks, self.markup), box), repr(self))

    def to_dict(self) -> dict[str, Any]:
        """Return the face as plain numbers and lists, for json; `id`, `score`, `errors` only if the face has them."""
        calibrated = {} if self.errors is None else {'score': self.score, 'errors': self.errors.tolist()}
        return (
            ({} if self.id is None else {'id': self.id})
            | {
                'markup': self.markup.name,
                'box': self.box.tolist(),
                'landmarks': self.landmarks.tolist(),
                'scores': self.scores.tolist(),
            }
            | calibrated
        )
