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
from ..datasets.transforms.crop import CropFace, resample
from ..datasets.transforms.load import LoadImage
from ..faces import compare, save
from ..files.atomic import output_folder
from .collect import Results


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
        image = self.load(self.face(row))['image']
        warp = self.crop.warp(self.results.box[row], image.shape[1])
        points = geometry.apply(warp, self.results.landmarks[row])
        truth = geometry.apply(warp, self.results.truth[row])
        visible = (self.results.visible[row] > 0) & np.isfinite(points).all(-1)
        return compare(resample(image, warp, self.crop.size), points[visible], truth[visible])

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

    def html(self, rows: Sequence[int], page: Path, name: str) -> str:
        """Return HTML figures of faces; write the pictures to `page`/overlays as <name>_<i>.jpg."""
        figures = []
        for i, row in enumerate(rows):
            file = f'overlays/{name}_{i + 1:02d}.jpg'
            save(self.picture(row), page / file)
            tags = ', '.join(self.results.tags[row]) or 'no subset'
            figures.append(
                f'<figure><a href="{file}"><img src="{file}" alt="" loading="lazy"></a><figcaption>'
                f'<b>{self.percent(row)} %</b> {escape(tags)}<br>'
                f'<span>{escape(str(self.results.ids[row]))}</span></figcaption></figure>'
            )
        return '<div class="gallery">' + ''.join(figures) + '</div>'


def _file_stem(name: Any) -> str:
    """Return an id in a form that a file name may contain."""
    return re.sub(r'[^\w.-]+', '_', Path(str(name)).stem if '.' in str(name) else str(name))[-80:]
