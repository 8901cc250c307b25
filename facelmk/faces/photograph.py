"""The predicted faces of one photograph or frame: drawings, numbers, and the forms of other packages."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import FacelmkError
from ..files.atomic import write_bytes
from .cvat import cvat
from .drawing import draw, outline, save
from .exchange import to_pandas, to_supervision
from .face import Face
from .notebook import figure
from .tables import coco, columns, csv_lines, table_rows


class Faces(list[Face]):
    """The faces of one photograph or frame (H, W, 3), BGR; `source` is its path, its URL or the number of a camera.

    Of a film or a camera, `frame` is the number of the frame, from 0, and `time` its time in seconds; the faces are in
    the order of their ids.
    """

    def __init__(
        self,
        faces: Iterable[Face] = (),
        image: NDArray[np.uint8] | None = None,
        source: Any = None,
        frame: int | None = None,
        time: float | None = None,
    ) -> None:
        super().__init__(faces)
        self.image, self.source, self.frame, self.time = image, source, frame, time

    def plot(self, boxes: bool = False, numbers: bool = False) -> NDArray[np.uint8]:
        """Return a copy of the photograph with landmarks and lines; boxes and point numbers are optional."""
        if self.image is None:
            raise FacelmkError('Faces.image is None. Set it to the photograph (H, W, 3), BGR, to draw on')
        picture = self.image.copy()
        for face in self:
            picture = draw(
                outline(picture, face.box) if boxes else picture, face.landmarks, face.markup, numbers=numbers
            )
        return picture

    def save(self, path: str | Path, boxes: bool = False, numbers: bool = False) -> Path:
        """Write the drawing in the format of the path's suffix; return the path."""
        return save(self.plot(boxes, numbers), path)

    def to_dict(self) -> dict[str, Any]:
        """Return the photograph's width and height, and its faces, for json; of a frame also its number and time."""
        height, width = (None, None) if self.image is None else self.image.shape[:2]
        frame = {} if self.frame is None else {'frame': self.frame, 'time': self.time}
        return frame | {'width': width, 'height': height, 'faces': [face.to_dict() for face in self]}

    def to_row(self) -> dict[str, Any]:
        """Return the same with the path: a row of the json that `facelmk predict` writes."""
        path = self.source if isinstance(self.source, (str, int)) else None
        return {'path': str(self.source) if isinstance(self.source, Path) else path} | self.to_dict()

    def to_pandas(self) -> Any:
        """Return a pandas.DataFrame with a row for each face, with the columns of `to_csv`."""
        return to_pandas([self.to_row()])

    def to_supervision(self) -> Any:
        """Return supervision.KeyPoints: xy (N, K, 2) and a confidence for each landmark."""
        return to_supervision(self)

    def to_coco(self) -> dict[str, Any]:
        """Return the photograph and its faces as COCO's images, annotations and categories."""
        return coco([self.to_row()])

    def to_cvat(self, path: str | Path) -> Path:
        """Write CVAT's XML of images, to correct the landmarks by hand; return the path."""
        write_bytes(Path(path), cvat(self.to_row()).encode())
        return Path(path)

    def to_csv(self, path: str | Path) -> Path:
        """Write a csv file with a row for each face; return the path."""
        K = len(self[0].landmarks) if self else 0
        write_bytes(Path(path), csv_lines([columns(K), *table_rows([self.to_row()])]).encode())
        return Path(path)

    def to_pts(self, path: str | Path) -> list[Path]:
        """Write a .pts file for each face: the path itself for one face, NAME_1.pts, NAME_2.pts, ... for several."""
        path = Path(path)
        if len(self) == 1:
            return [self[0].to_pts(path)]
        return [face.to_pts(path.with_stem(f'{path.stem}_{i}')) for i, face in enumerate(self, 1)]

    def _repr_html_(self) -> str:
        """Return the drawing for a notebook, and its text."""
        text = f'{len(self)} face{"s"[: len(self) != 1]}'
        text += '' if self.source is None or not isinstance(self.source, (str, Path, int)) else f' in {self.source}'
        text += '' if self.frame is None else f', frame {self.frame}'
        return figure(None if self.image is None else self.plot(boxes=True), text)
