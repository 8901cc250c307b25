"""The order of a data set, and what each draw depends on."""

from collections.abc import Iterator
from itertools import islice

from mmengine.dataset import DefaultSampler

from ..registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class FaceSampler(DefaultSampler):
    """Shares a data set out over the ranks and hands (seed, epoch, index) to `FaceDataset`.

    Persistent workers do not see a new epoch number; the index brings it to them. `skip` samples of this rank are
    passed over in the next epoch, once: a run that was stopped goes on behind them.
    """

    skip = 0

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        first, self.skip = self.skip, 0
        for index in islice(super().__iter__(), first, None):
            yield self.seed, self.epoch, index
