"""Face detectors on the same pictures: recall by size and number of faces, false alarms, time."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...datasets.images.decode import read_image
from ...datasets.scenes import FacesInPictures, as_array
from ...geometry import overlaps
from ...inference.detectors import Detector
from ...inference.detectors.base import as_detections
from ...synthetic.scenes.sources import Portraits
from ..tables import Row, Table
from .composites import Composite, draw_composites, fill_picture

Image = np.ndarray
PICTURE_PX = (640, 480)  # width and height of the composed pictures
LEAST_OVERLAP = 0.5  # intersection over union of a box that has found a face
SIZES_PX = (24, 48, 96, 192)
COUNTS = tuple(range(1, 11))
TIMED_CALLS = 15


@dataclass
class DetectorTrial:
    """What a detector found on some pictures: how many of the faces, and how many boxes that are no face."""

    faces: int = 0
    found: int = 0
    pictures: int = 0
    alarms: list[int] = field(default_factory=list)  # of each picture

    @property
    def recall(self) -> float:
        """The share of the faces that were found, in per cent."""
        return 100 * self.found / self.faces if self.faces else float('nan')

    def add(self, detected: NDArray, boxes: NDArray) -> None:
        """Count the boxes (M, 4) of a detector in a picture with faces in boxes (N, 4); each box finds one face."""
        overlap = overlaps(as_array(list(detected)), as_array(list(boxes)))
        found = 0
        while overlap.size and overlap.max() >= LEAST_OVERLAP:
            row, column = np.unravel_index(overlap.argmax(), overlap.shape)
            overlap[row], overlap[:, column] = 0, 0
            found += 1
        self.faces, self.found, self.pictures = self.faces + len(boxes), self.found + found, self.pictures + 1
        self.alarms.append(len(detected) - found)


def run_trial(detector: Detector, pictures: Iterable[Composite]) -> DetectorTrial:
    """Run a detector on pictures whose faces are known."""
    trial = DetectorTrial()
    for image, boxes in pictures:
        trial.add(detector(image)[0], boxes)
    return trial


def annotated_pictures(scenes: FacesInPictures) -> Iterable[Composite]:
    """Yield the pictures of a data set with the boxes of their annotated faces."""
    for index in range(len(scenes)):
        scene = scenes.scene(index)
        yield Composite(scene['image'] if 'image' in scene else read_image(scene['path']), scene['boxes'])


def milliseconds(detector: Detector, image: Image) -> float:
    """Return the median processor time of a call, summed over its threads: other processes hardly change it."""
    detector(image)
    times = []
    for _ in range(TIMED_CALLS):
        start = time.process_time()
        detector(image)
        times.append(1000 * (time.process_time() - start))
    return float(np.median(times))


def compare_detectors(
    detectors: Mapping[str, Detector], scenes: FacesInPictures, grounds: Mapping[str, Image], pictures: int = 40
) -> tuple[Table, dict[str, dict[str, int]]]:
    """Return a table with a column for each detector, and the false alarms of each in the pictures without a face.

    `scenes` are pictures with an annotated face, `grounds` pictures without one, by name.
    """
    faces, images = Portraits(scenes.dataset, face_px=max(SIZES_PX)), list(grounds.values())
    columns: dict[str, dict[str, float]] = {}
    alarms: dict[str, dict[str, int]] = {}
    for name, detector in detectors.items():
        plain = run_trial(detector, [Composite(image, as_array([])) for image in images])
        alarms[name] = dict(zip(grounds, plain.alarms, strict=True))
        columns[name] = _figures(detector, scenes, faces, images, pictures) | {
            f'alarms in {len(images)} pictures without a face': float(sum(plain.alarms)),
            'CPU ms at 640 x 480': milliseconds(detector, fill_picture(images[0], *PICTURE_PX)),
        }
    return _table(columns), alarms


def _figures(
    detector: Detector, scenes: FacesInPictures, faces: Portraits, images: Sequence[Image], pictures: int
) -> dict[str, float]:
    """Return the recall of a detector in per cent, and its alarms, on all kinds of pictures."""

    def composed(count: int, each: int, low: float, high: float) -> DetectorTrial:
        return run_trial(detector, draw_composites(faces, images, count, each, (low, high), PICTURE_PX))

    annotated = run_trial(detector, annotated_pictures(scenes))
    figures = {
        f'recall, {annotated.faces} annotated faces': annotated.recall,
        'other boxes there (other faces or alarms)': float(sum(annotated.alarms)),
    }
    for low, high in ((20, 40), (40, 80)):
        trial = composed(pictures, 2, low, high)
        figures[f'recall, composed, {low} to {high} px'] = trial.recall
        figures[f'alarms in these {trial.pictures} pictures, {low} to {high} px'] = float(sum(trial.alarms))
    figures |= {f'recall, face of {side} px': composed(pictures, 1, side, side).recall for side in SIZES_PX}
    few = max(pictures // 4, 1)
    figures |= {f'recall, {each} faces of 40 to 80 px': composed(few, each, 40, 80).recall for each in COUNTS}
    return figures


def _table(columns: Mapping[str, Mapping[str, float]]) -> Table:
    rows = [Row(name, [values[name] for values in columns.values()], 1) for name in next(iter(columns.values()))]
    note = (
        f'Recall in per cent, at an intersection over union of {LEAST_OVERLAP} with the tight box of the landmarks; '
        f'composed pictures have {PICTURE_PX[0]} x {PICTURE_PX[1]} pixels'
    )
    return Table(list(columns), {'face detectors': rows}, note)


def matched_boxes(detector: Detector, scenes: FacesInPictures, least: float = 0.2) -> tuple[NDArray, NDArray]:
    """Return the detector's own boxes (N, 4), without its rule, and the tight boxes (N, 4) of the faces they found."""
    own, tight = [], []
    for image, boxes in annotated_pictures(scenes):
        detected, _ = as_detections(detector.find(image), detector)
        overlap = overlaps(detected, boxes)
        for column in range(len(boxes)):
            if len(detected) and overlap[:, column].max() >= least:
                own.append(detected[overlap[:, column].argmax()])
                tight.append(boxes[column])
    return as_array(own), as_array(tight)
