"""Predict landmarks in pictures with an exported file. Calls and answers are those of `facelmk.load`'s Predictor."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import FacelmkError, MissingResource
from ..detectors.base import Detector, OtherDetector
from ..stream import PicturePredictor, Row
from .crops import crop_box, scale_of, to_photo
from .detector import SHIPPED_DETECTOR, ExportedDetector
from .find import OPENVINO, find_exported
from .session import Session, check_kind

if TYPE_CHECKING:
    from .openvino_session import OpenVINOSession


class ExportedPredictor(PicturePredictor):
    """Finds faces and predicts their landmarks with an exported file, as `Predictor` does with a network in torch.

    `detector` is an exported detector (an object, a path, or None for the one that comes with facelmk), or a function
    from a picture to boxes. All other detectors of `find_detector` import torch.
    """

    def __init__(
        self,
        session: 'Session | OpenVINOSession',
        batch_size: int = 16,
        detector: Any = None,
        threads: int | None = None,
    ) -> None:
        check_kind(session, 'landmarks')
        facts = session.facts
        assert facts.markup is not None and facts.crop is not None  # `read_facts` refuses other files
        super().__init__(facts.markup, batch_size, detector)
        self.session, self.facts, self.crop, self.threads = session, facts, facts.crop, threads

    def __repr__(self) -> str:
        return f'ExportedPredictor({self.facts.name}, {self.markup.name}, {self.session.source})'

    def find_detector(self, spec: Any) -> Detector:
        if isinstance(spec, Detector):
            return spec
        if spec is None or isinstance(spec, (str, Path)):
            path = find_exported(SHIPPED_DETECTOR if spec in (None, 'auto') else spec)
            if path is not None:
                return ExportedDetector(path, self.threads)
        elif callable(spec) and not isinstance(spec, type):
            return OtherDetector(spec)
        try:
            from ..detectors import find_detector  # its registry imports torch
        except ImportError as error:
            raise MissingResource(
                f'detector={spec!r}: there is no such exported detector, and others need torch ({error}). Give a path '
                "of one, a function from a picture to boxes, the boxes of the faces, or boxes='full'"
            ) from error
        detector: Detector = find_detector(spec)
        return detector

    def predict_boxes(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        crops, warps = zip(*(crop_box(np.asarray(image), box, self.crop) for image, box in rows), strict=True)
        inputs = np.ascontiguousarray(np.stack(crops).transpose(0, 3, 1, 2))
        outputs = self.session.run(inputs)
        return [
            self._prediction({name: values[i] for name, values in outputs.items()}, warp)
            for i, warp in enumerate(warps)
        ]

    def _prediction(self, outputs: dict[str, Any], warp: np.ndarray) -> dict[str, Any]:
        """Return the outputs for one face in pixels of the photograph."""
        prediction = {'landmarks': to_photo(outputs['points'], warp, self.facts.to_photo), 'scores': outputs['scores']}
        if 'errors' in outputs:
            prediction['errors'] = outputs['errors'] / np.float32(scale_of(warp))
            prediction['score'] = outputs['face_scores']
        return prediction


def open_session(path: Path, threads: int | None, bfloat16: bool) -> 'Session | OpenVINOSession':
    """Return the session of a file: ONNX Runtime's, or OpenVINO's for an .xml."""
    if path.suffix.lower() == OPENVINO:
        from .openvino_session import OpenVINOSession

        return OpenVINOSession(path, threads, bfloat16)
    if bfloat16:
        raise FacelmkError(f'bfloat16 with {path}. Expected an .xml file: facelmk export MODEL --format openvino')
    return Session(path, threads)


def load_exported(
    source: str | Path,
    batch_size: int = 16,
    detector: Any = None,
    threads: int | None = None,
    markup: str | None = None,
    bfloat16: bool = False,
) -> ExportedPredictor:
    """Return a predictor of an exported file: the path of an .onnx or .xml, or the name of one that comes with facelmk.

    `threads` is the number of threads of one run (default: all cores). `markup` is the landmark scheme of the faces, if
    it is another one than the file's. With `bfloat16`, OpenVINO computes an .xml file in that type: faster where the
    processor has it, and less exact.
    """
    path = find_exported(source)
    if path is None:
        raise MissingResource(
            f'there is no exported file {source}, from {Path.cwd()}, and none of that name comes with facelmk. Write '
            'one with: facelmk export MODEL --out FILE.onnx'
        )
    predictor = ExportedPredictor(open_session(path, threads, bfloat16), batch_size, detector, threads)
    if markup is not None:
        predictor.choose_markup(markup)
    return predictor
