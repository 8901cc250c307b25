"""The worst face."""

from facelmk.metrics import NME
from facelmk.registry import METRICS


@METRICS.register_module()
class WorstFace(NME):
    """The largest error of a face, in per cent of the distance of the eyes."""

    name = 'worst'

    def figure(self, error, count):
        return error.max()
