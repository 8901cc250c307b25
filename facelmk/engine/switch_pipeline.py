"""Training in two stages, asked for as a hook."""

from collections.abc import Sequence

from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner

from ..datasets.base import FaceDataset
from ..datasets.transforms.stages import FromEpoch
from ..errors import FacelmkError
from ..registry import HOOKS


@HOOKS.register_module()
class SwitchPipeline(Hook):
    """Trains on what another `pipeline` makes from `epoch` on, counted from 0: of 60 epochs, 50 leaves it ten.

    The data set is given both before its workers start, and each face goes by the epoch that the sampler hands over
    with it. Persistent workers, which keep the data set that they started with, and resumed runs therefore agree.
    """

    def __init__(self, epoch: int, pipeline: Sequence[dict]) -> None:
        self.epoch, self.pipeline = epoch, pipeline

    def before_train(self, runner: Runner) -> None:
        dataset = runner.train_dataloader.dataset
        if not isinstance(runner.train_loop, EpochBasedTrainLoop) or not isinstance(dataset, FaceDataset):
            raise FacelmkError(
                f'SwitchPipeline: {type(runner.train_loop).__name__} on {type(dataset).__name__}; it '
                'wants train_cfg with by_epoch=True and a data set that is a FaceDataset. '
                "dict(type='FromEpoch', ...) as a step of a pipeline does the same without a hook"
            )
        dataset.pipeline = [FromEpoch(self.epoch, self.pipeline, dataset.pipeline)]
