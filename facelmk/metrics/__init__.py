"""Metrics of predicted faces, for the whole set and for each subset, merged over the ranks by the face's id."""

from .auc import AUC
from .base import ErrorMetric, FaceMetric
from .box_recall import BoxRecall
from .epe import EPE
from .failure_rate import FailureRate
from .keypoint_ap import KeypointAP
from .nme import NME
from .pck import PCK

__all__ = ['AUC', 'EPE', 'NME', 'PCK', 'BoxRecall', 'ErrorMetric', 'FaceMetric', 'FailureRate', 'KeypointAP']
