"""Metrics of predicted faces, for the whole set and for each subset, merged over the ranks by the face's id."""

from .auc import AUC
from .base import ErrorMetric, FaceMetric
from .failure_rate import FailureRate
from .keypoint_ap import KeypointAP
from .nme import NME

__all__ = ['AUC', 'NME', 'ErrorMetric', 'FaceMetric', 'FailureRate', 'KeypointAP']
