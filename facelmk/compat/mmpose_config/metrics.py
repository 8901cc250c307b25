"""Metrics of MMPose."""

from typing import Any

from ...markups import MARKUPS
from .reading import Part, Values

THRESHOLD = 0.1


def translate_metrics(parts: list[Part], markup: str) -> list[Values]:
    """The metrics of a validation or test. An NME brings failure rate and AUC of the same errors."""
    metrics: list[Values] = []
    for part in parts:
        _, translate = part.choose(KINDS)
        part.only('collect_device', 'cpu', 'gpu')
        metrics += translate(part, markup)
    return metrics


def direction(name: str) -> str:
    """Whether MMPose's best value of a metric is 'less' or 'greater', by its name."""
    return 'less' if name.rpartition('/')[2] in ('NME', 'EPE') else 'greater'


def _nme(part: Part, markup: str) -> list[Values]:
    shared = dict(norm=_norm(part, markup)) | part.copy('prefix')
    return [
        dict(type='NME', **shared),
        dict(type='FailureRate', threshold=THRESHOLD, **shared),
        dict(type='AUC', threshold=THRESHOLD, **shared),
    ]


def _norm(part: Part, markup: str) -> Any:
    if part.only('norm_mode', 'keypoint_distance', 'use_norm_item') == 'use_norm_item':
        part.exactly('norm_item', 'bbox_size')
        part.skip('keypoint_indices')
        return 'file' if markup == 'aflw' else 'box_side'  # AFLW's boxes are made from the size in its file
    part.skip('norm_item')
    pair = part.get('keypoint_indices')
    return 'inter_ocular' if pair is None or tuple(pair) == MARKUPS[markup].eyes else tuple(pair)


def _epe(part: Part, markup: str) -> list[Values]:
    return [dict(type='EPE') | part.copy('prefix')]


def _pck(part: Part, markup: str) -> list[Values]:
    part.only('norm_item', 'bbox', ['bbox'])
    return [dict(type='PCK', threshold=part.get('thr', 0.05)) | part.copy('prefix')]


KINDS = {'NME': _nme, 'EPE': _epe, 'PCKAccuracy': _pck}
