"""Fit the calibration of a checkpoint, and check it on other faces."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine import Config

from ...checkpoint import add_weights, find_checkpoint, load_checkpoint
from ...config.folders import name_of_config
from ...datasets import FaceDataset
from ...datasets.base import build_steps, pipeline_of
from ...errors import FacelmkError
from ...metrics.calibration import Bin, calibration_error, found_failures, reliability
from ...models import FaceLandmarker
from ...models.calibration import ErrorCalibration
from ...registry import DATASETS, MODELS
from .fit import fit_errors, fit_face
from .measure import Array, Measured, MisplacedBoxes, joined, measure


@dataclass
class Checked:
    """Measured faces with their expected errors (N, K) in crop pixels and scores (N,), and misplaced boxes' scores."""

    faces: Measured
    expected: Array
    score: Array
    misplaced: Array
    threshold: float

    def figures(self) -> dict[str, float]:
        """Return the numbers of a card: errors in crop pixels, faces, scores."""
        rows, error = self.bins(), self.faces.face_error
        usable = np.isfinite(error)
        found, failures = found_failures(self.score[usable], error[usable], self.threshold)
        measured = float(self.faces.error[self.faces.counts].mean())
        return {
            'faces': len(error),
            'crop_px': self.faces.size,
            'mean_error_px': measured,
            'mean_expected_error_px': float(self.expected[self.faces.counts].mean()),
            'calibration_error_px': calibration_error(rows),
            'calibration_error_share': calibration_error(rows) / measured,
            'failures': failures,
            'failures_in_lowest_quarter': found,
            'score_calibration_error': calibration_error(self.score_bins()),
            'lowest_score': float(self.score.min()),
            'median_score': float(np.median(self.score)),
            'highest_score': float(self.score.max()),
            'median_score_of_misplaced_boxes': float(np.median(self.misplaced)),
            'highest_score_of_misplaced_boxes': float(self.misplaced.max()),
        }

    def bins(self) -> list[Bin]:
        """Return expected against measured errors of all landmarks."""
        counts = self.faces.counts
        return reliability(self.expected[counts], self.faces.error[counts])

    def score_bins(self) -> list[Bin]:
        """Return the scores against the share of good faces."""
        error = self.faces.face_error
        usable = np.isfinite(error)
        return reliability(self.score[usable], (error[usable] < self.threshold).astype(float), 5)


def open_landmarker(config: Config, source: str | Path) -> FaceLandmarker:
    """Build the network of a config that has a calibration, with the weights of a checkpoint."""
    if not config.model.get('calibration'):
        raise FacelmkError(
            f'{config.filename}: model.calibration is not set, so there is nothing to fit. Add '
            "calibration=dict(type='ErrorCalibration') to the model"
        )
    landmarker = MODELS.build(config.model).eval()
    load_checkpoint(landmarker, find_checkpoint(source))
    return landmarker


def fit_checkpoint(config: Config, source: str | Path, out: str | Path, seed: int = 0) -> FaceLandmarker:
    """Fit the calibration on `calibration_data`, write the weights with it to `out`, and return the network.

    Each face is measured three times: as in validation, as in training, so that hard faces occur, and with a box where
    no face is, which gets a low score.
    """
    landmarker = open_landmarker(config, source)
    dataset = calibration_data(config)
    check_scheme(landmarker, dataset)
    clean = validation_pipeline(config)
    pipelines = [clean]
    if 'train_dataloader' in config and config.train_dataloader.dataset.get('pipeline'):
        pipelines.append(config.train_dataloader.dataset.pipeline)
    faces = joined([measure(landmarker, with_pipeline(dataset, steps)) for steps in pipelines])
    misplaced = measure(landmarker, MisplacedBoxes(dataset, clean, seed))
    fit(calibration_of(landmarker), faces, misplaced)
    note = f'{len(dataset)} faces of the calibration_data of {name_of_config(config.filename)}'
    buffers = {f'calibration.{key}': value for key, value in calibration_of(landmarker).state_dict().items()}
    # the text of the config lets `facelmk.load` build the network, with its calibration, from the file alone
    add_weights(find_checkpoint(source), out, buffers, {'calibrated_on': note, 'cfg': config.pretty_text})
    return landmarker


def fit(calibration: ErrorCalibration, faces: Measured, misplaced: Measured) -> None:
    """Fill a calibration's buffers from measured faces and from boxes without a face."""
    scale, power = fit_errors(faces)
    every = joined([faces, misplaced])
    error = every.face_error
    error[len(faces.error) :] = np.inf  # whatever part of a face such a box holds
    usable = ~np.isnan(error)
    relative = scale * every.deviation**power / every.size
    face = fit_face(relative[usable], error[usable] < calibration.threshold)
    calibration.set(*(torch.tensor(values, dtype=torch.float) for values in (scale, power, face)))


def check_checkpoint(config: Config, source: str | Path, seed: int = 0) -> Checked:
    """Check a checkpoint on the test faces of its config."""
    return check(open_landmarker(config, source), check_data(config), validation_pipeline(config), seed)


def check(landmarker: FaceLandmarker, dataset: FaceDataset, pipeline: Sequence[dict], seed: int = 0) -> Checked:
    """Measure a calibrated network on faces, and on boxes beside them."""
    calibration = calibration_of(landmarker)
    if not calibration.fitted:
        raise FacelmkError('the checkpoint has no fitted calibration. Fit it with: facelmk calibrate fit')
    check_scheme(landmarker, dataset)
    faces = measure(landmarker, with_pipeline(dataset, pipeline))
    misplaced = measure(landmarker, MisplacedBoxes(dataset, pipeline, seed))
    (expected, score), (_, misplaced_score) = (_answers(calibration, part) for part in (faces, misplaced))
    return Checked(faces, expected, score, misplaced_score, calibration.threshold)


def _answers(calibration: ErrorCalibration, measured: Measured) -> tuple[Array, Array]:
    """Return expected errors (N, K) and scores (N,)."""
    errors = calibration.expected(torch.from_numpy(measured.deviation).to(calibration.scale))
    return errors.double().cpu().numpy(), calibration.face_scores(errors, measured.size).double().cpu().numpy()


def calibration_of(landmarker: FaceLandmarker) -> ErrorCalibration:
    """Return the calibration of a network that has one."""
    assert landmarker.calibration is not None  # open_landmarker refuses a config without one
    return landmarker.calibration


def check_scheme(landmarker: FaceLandmarker, dataset: FaceDataset) -> None:
    """Refuse faces whose landmarks are not those of the network."""
    if dataset.markup.size != landmarker.markup.size:
        raise FacelmkError(
            f'the faces have the {dataset.markup.size} landmarks of {dataset.markup.name!r}, the network has the '
            f'{landmarker.markup.size} of {landmarker.markup.name!r}. Set markup={landmarker.markup.name!r} in the data'
        )


def calibration_data(config: Config) -> FaceDataset:
    """Build the held-back faces of a config: its `calibration_data`, or else its validation faces."""
    values: Any = config.get('calibration_data')
    if values is None:
        values = config.val_dataloader.dataset
    if not isinstance(values, Mapping):
        raise FacelmkError(f'{config.filename}: calibration_data={values!r}. Expected a data set, dict(type=NAME, ...)')
    return DATASETS.build({key: value for key, value in values.items() if key != 'pipeline'})


def check_data(config: Config) -> FaceDataset:
    """Build the test faces of a config, or its validation faces if it has none, without a pipeline."""
    loader = config.get('test_dataloader') or config.val_dataloader
    return DATASETS.build({key: value for key, value in loader.dataset.items() if key != 'pipeline'})


def with_pipeline(dataset: FaceDataset, pipeline: Sequence[dict]) -> FaceDataset:
    """Return a data set of the same faces with another pipeline."""
    changed = copy.copy(dataset)
    changed.pipeline = build_steps(pipeline)
    return changed


def validation_pipeline(config: Config) -> Sequence[dict]:
    """Return the pipeline of the validation faces."""
    return pipeline_of((config.get('val_dataloader') or {}).get('dataset') or {})
