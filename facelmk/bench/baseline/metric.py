"""NME as MMPose 1.3 measures it: one dict a face, joined into arrays at the end."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from numpy.typing import NDArray

EYES = (60, 72)  # the outer eye corners of WFLW


class PlainNME(BaseMetric):
    """The mean of all visible points' distances, divided by the distance of the outer eye corners."""

    default_prefix = ''

    def process(self, data_batch: dict[str, Any], data_samples: Sequence[dict]) -> None:
        """Keep points, ground truth and mask of each face."""
        for sample in data_samples:
            truth = sample['gt_instances']
            self.results.append(
                {
                    'predicted': sample['pred_instances']['keypoints'],
                    'truth': truth['keypoints'],
                    'mask': truth['keypoints_visible'].astype(bool).reshape(1, -1),
                }
            )

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Return the NME as a share."""
        predicted, truth, mask = (
            np.concatenate([row[key] for row in results]) for key in ('predicted', 'truth', 'mask')
        )
        length = np.linalg.norm(truth[:, EYES[0]] - truth[:, EYES[1]], axis=1, keepdims=True)
        distances = normalised_distances(predicted, truth, mask, np.tile(length, [1, 2]))
        measured = distances[distances != -1]
        return {'NME': measured.sum() / max(1, len(measured))}


def normalised_distances(
    predicted: NDArray, truth: NDArray, mask: NDArray[np.bool_], factor: NDArray
) -> NDArray[np.float32]:
    """The distances (K, N) divided by a factor (N, 2); -1 for points that do not count."""
    N, K, _ = predicted.shape
    counts = mask.copy()
    counts[np.where((factor == 0).sum(1))[0], :] = False
    distances = np.full((N, K), -1, dtype=np.float32)
    factor[np.where(factor <= 0)] = 1e6
    distances[counts] = np.linalg.norm(((predicted - truth) / factor[:, None, :])[counts], axis=-1)
    return distances.T
