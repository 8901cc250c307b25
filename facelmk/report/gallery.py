"""Pictures of predictions: the crop of a face with the ground truth in green and the prediction in red."""

import math
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import geometry
from ..datasets.defects import short
from ..datasets.transforms.crop import CropFace
from ..datasets.transforms.load import LoadImage
from ..datasets.transforms.pixels import resample
from ..faces import compare, save
from ..files.atomic import output_folder
from .collect import Results
from .page.parts import part_key
from .page.photos import misses_layer, numbers_layer, photo, points_layer, tick_boxes, true_layer

LAYERS = {
    'show-points': 'prediction, coloured by part',
    'show-true': 'ground truth, white',
    'show-numbers': 'point numbers',
}


class Gallery:
    """Draw faces of a test set by their row in `results`, in crops of `size` pixels without augmentation."""

    def __init__(self, dataset: Any, results: Results, size: int = 320) -> None:
        self.dataset, self.results = dataset, results
        crops = [step for step in getattr(dataset, 'pipeline', ()) if isinstance(step, CropFace)]
        self.crop = CropFace(size, crops[0].padding if crops else 1.25)
        self.load = LoadImage()
        self.index_of_id: dict[Any, int] | None = None

    def picture(self, row: int) -> NDArray[np.uint8]:
        """Return the crop of a face with ground truth and prediction on it."""
        crop, points, truth, visible = self.crop_of(row)
        return compare(crop, points[visible], truth[visible])

    def crop_of(self, row: int) -> tuple[NDArray[np.uint8], NDArray, NDArray, NDArray[np.bool_]]:
        """Return the crop of a face, its predicted and true points (K, 2), and which of them can be drawn (K,)."""
        image = self.load(self.face(row))['image']
        warp = self.crop.warp(self.results.box[row], image.shape[1])
        points = geometry.apply(warp, self.results.landmarks[row])
        truth = geometry.apply(warp, self.results.truth[row])
        visible = (self.results.visible[row] > 0) & np.isfinite(points).all(-1)
        return np.asarray(resample(image, warp, self.crop.size), np.uint8), points, truth, visible

    def face(self, row: int) -> dict[str, Any]:
        """Return the data set's face of a row: by the sampler's index or, if the id there differs, by id."""
        name, index = self.results.ids[row], int(self.results.indices[row])
        face = self.dataset.face(index) if index < len(self.dataset) else None
        if face is None or face['id'] != name:
            if self.index_of_id is None:
                self.index_of_id = {self.dataset.face(i)['id']: i for i in range(len(self.dataset))}
            face = self.dataset.face(self.index_of_id[name])
        return face

    def write(self, rows: Sequence[int], folder: Path) -> list[Path]:
        """Write one JPEG a row, named by its rank in `rows`, error and id; then delete those of an earlier run."""
        names = [
            f'{i + 1:03d}_{self.percent(row)}_{_file_stem(self.results.ids[row])}.jpg' for i, row in enumerate(rows)
        ]
        with output_folder(folder) as draft:
            for row, name in zip(rows, names, strict=True):
                save(self.picture(row), draft / name)
        for old in folder.glob('[0-9][0-9][0-9]_*.jpg'):
            if old.name not in names:
                old.unlink()
        return [folder / name for name in names]

    def percent(self, row: int) -> str:
        """Return a face's error as text, in per cent."""
        error = self.results.error[row]
        return f'{100 * error:.2f}' if math.isfinite(error) else 'none'

    def html(self, rows: Sequence[int], name: str) -> str:
        """Return the figures of faces with boxes to tick for their layers; `name` is the anchor of the section."""
        boxes = tick_boxes(name, LAYERS, ('show-points', 'show-true'))
        figures = ''.join(self._figure(row, f'{name}-{i + 1}', name) for i, row in enumerate(rows))
        shown = np.isfinite(self.results.point_errors())
        return f'{boxes}{part_key(self.results.markup, shown, on_photo=True)}<div class="gallery">{figures}</div>'

    def _figure(self, row: int, anchor: str, section: str) -> str:
        tags, name = ', '.join(self.results.tags[row]), short(str(self.results.ids[row]))
        caption = (
            f'<a href="#{anchor}"><b>{self.percent(row)} %</b></a> {escape(short(tags))} '
            f'<a class="close" href="#{section}">small again</a><br><span>{escape(name)}</span>'
        )
        return f'<figure id="{anchor}">{self._photo(row)}<figcaption>{caption}</figcaption></figure>'

    def _photo(self, row: int) -> str:
        """Return the crop of a face as a photo with layers."""
        crop, points, truth, visible = self.crop_of(row)
        size = self.crop.size
        layers = [
            misses_layer(points[visible], truth[visible]),
            true_layer(truth[visible]),
            points_layer(points, self.results.markup, visible),
            numbers_layer(points[visible], np.flatnonzero(visible).tolist(), (size, size)),
        ]
        return photo(crop, layers, f'face {self.results.ids[row]} with an error of {self.percent(row)} %')


def _file_stem(name: Any) -> str:
    """Return an id in a form that a file name may contain."""
    return re.sub(r'[^\w.-]+', '_', Path(str(name)).stem if '.' in str(name) else str(name))[-80:]
