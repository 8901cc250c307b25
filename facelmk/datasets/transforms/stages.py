"""Training in two stages: another pipeline from some epoch on."""

from collections.abc import Sequence

from mmcv.transforms import BaseTransform

from ...registry import TRANSFORMS
from ..base import FaceRecord, Transform, build_steps, run_steps


@TRANSFORMS.register_module()
class FromEpoch(BaseTransform):
    """Runs `pipeline` from `epoch` on, counted from 0, and `before` in earlier epochs.

    A sample contains its epoch, so a worker process need not know when the run started or which epoch it is in.
    """

    ranges = {'epoch': (0, 100_000)}

    def __init__(
        self, epoch: int = 0, pipeline: Sequence[dict | Transform] = (), before: Sequence[dict | Transform] = ()
    ) -> None:
        self.epoch = epoch
        self.pipeline, self.before = build_steps(pipeline), build_steps(before)

    def transform(self, sample: FaceRecord) -> FaceRecord:
        return run_steps(self.pipeline if sample['epoch'] >= self.epoch else self.before, sample)
