"""NME, failure rate and AUC of a test set, beside MMPose's NME alone."""

import logging
from collections.abc import Callable, Iterator
from importlib.util import find_spec

import numpy as np
import torch
from mmengine.evaluator import BaseMetric, Evaluator

from ..metrics import AUC, NME, FailureRate
from ..metrics.rows import unpacked_faces
from .baseline.metric import PlainNME
from .row import Options, Row, compare

K, BATCH = 98, 64
META = {'markup': 'wflw', 'subsets': ()}
MMPOSE_META = {'dataset_name': 'wflw', 'keypoint_id2name': dict(enumerate(map(str, range(K))))}


def rows(options: Options) -> Iterator[Row]:
    """Yield the cost of our NME and of three metrics, from the model's predictions to the values."""
    N = 500 if options.quick else 2500
    truth, predicted, visible = random_faces(N)
    logging.disable(logging.INFO)  # MMPose's metrics log each evaluation
    try:
        yield from _rows(options, N, truth, predicted, visible)
    finally:
        logging.disable(logging.NOTSET)


def _rows(options: Options, N: int, truth: np.ndarray, predicted: np.ndarray, visible: np.ndarray) -> Iterator[Row]:
    peer, name = peer_metric()
    theirs = evaluation([peer], mmpose_batches(truth, predicted, visible), N)
    for metrics in ([NME()], [NME(), FailureRate(), AUC()]):
        ours = evaluation(metrics, batches(truth, predicted, visible), N)
        difference = abs(ours()['NME'] / 100 - theirs()['NME'])
        names = ', '.join(type(metric).__name__ for metric in metrics)
        note = f'{name} has NME alone; difference of NME {difference:.1e}'
        yield compare(f'{names} of {N:,} faces', ours, theirs, f'{name}', note, seconds=options.seconds)


def random_faces(N: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Landmarks (N, K, 2), predictions a few pixels off, and which points are visible (N, K): nine of ten."""
    rng = np.random.default_rng(0)
    truth = rng.uniform(0, 200, (N, K, 2)).astype(np.float32)
    return truth, truth + rng.standard_normal(truth.shape).astype(np.float32), rng.random((N, K)) > 0.1


def evaluation(metrics: list[BaseMetric], batches: list[tuple], N: int) -> Callable[[], dict[str, float]]:
    """A function that lets the metrics process batches and returns their values."""
    evaluator = Evaluator(metrics)
    evaluator.dataset_meta = META | MMPOSE_META

    def run() -> dict[str, float]:
        unpacked_faces.cache_clear()  # as in the first evaluation of a data set
        for batch, predictions in batches:
            evaluator.process(predictions, batch)
        return evaluator.evaluate(N)

    return run


def batches(truth: np.ndarray, predicted: np.ndarray, visible: np.ndarray) -> list[tuple]:
    """Ground truth as the collate function joins it, and predictions as the model returns them."""
    result = []
    for start in range(0, len(truth), BATCH):
        part = slice(start, start + BATCH)
        names = [f'face {i}.jpg' for i in range(len(truth))[part]]
        landmarks, scores = torch.from_numpy(predicted[part]), torch.ones(len(names), K)
        samples = dict(
            id=names,
            landmarks=torch.from_numpy(truth[part]),
            visible=torch.from_numpy(visible[part]).float(),
            norm=torch.full((len(names),), torch.nan),
            box=torch.tensor([[0.0, 0.0, 200.0, 200.0]]).expand(len(names), 4),
            tags=[()] * len(names),
        )
        faces = [dict(id=name, landmarks=landmarks[i], scores=scores[i]) for i, name in enumerate(names)]
        result.append((dict(data_samples=samples), faces))
    return result


def mmpose_batches(truth: np.ndarray, predicted: np.ndarray, visible: np.ndarray) -> list[tuple]:
    """The same faces as dicts of MMPose's samples."""
    samples = [
        dict(
            pred_instances=dict(keypoints=predicted[i : i + 1]),
            gt_instances=dict(keypoints=truth[i : i + 1], keypoints_visible=visible[i : i + 1].astype(np.float32)),
        )
        for i in range(len(truth))
    ]
    return [({}, samples[start : start + BATCH]) for start in range(0, len(samples), BATCH)]


def peer_metric() -> tuple[BaseMetric, str]:
    """Return MMPose's own NME where it is installed, or else the plain code beside this module; and its name."""
    if not find_spec('mmpose'):
        return PlainNME(), 'MMPose-style code'
    import mmpose
    from mmpose import evaluation

    return evaluation.NME(norm_mode='keypoint_distance'), f'MMPose {mmpose.__version__}'
