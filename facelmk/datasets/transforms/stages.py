"""Training in two stages: another pipeline from some epoch on."""

from collections.abc import Sequence

from mmcv.transforms import BaseTransform

from ...registry import TRANSFORMS
from ..base import FaceRecord, Transform


@TRANSFORMS.register_module()
class FromEpoch(BaseTransform):
    """Runs `pipeline` from `epoch` on, counted from 0, and `before` in the epochs before it.

    A sample brings its epoch along, so that the worker that makes it need not have seen the run's begin, nor its turn.
    """

    def __init__(
        self, epoch: int = 0, pipeline: Sequence[dict | Transform] = (), before: Sequence[dict | Transform] = ()
    ) -> None:
        self.epoch = epoch
        self.pipeline, self.before = (
            [TRANSFORMS.build(step) if isinstance(step, dict) else step for step in steps]
            for steps in (pipeline, before)
        )

    def transform(self, sample: FaceRecord) -> FaceRecord:
        for step in self.pipeline if sample['epoch'] >= self.epoch else self.before:
            sample = step(sample)
        return sample
