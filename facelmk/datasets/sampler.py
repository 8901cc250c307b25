"""The order of a data set in each epoch."""

from collections.abc import Iterator
from itertools import islice

from mmengine.dataset import DefaultSampler

from ..registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class FaceSampler(DefaultSampler):
    """Distributes a data set over the ranks and yields (seed, epoch, index) for `FaceDataset`.

    Persistent workers do not see a new epoch number, so it travels with the index. `skip` is the number of this rank's
    samples to leave out once, in the next epoch: a resumed run continues after them.
    """

    skip = 0
    ranges = {'seed': (0, 2**32 - 1)}

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        first, self.skip = self.skip, 0
        for index in islice(super().__iter__(), first, None):
            yield self.seed, self.epoch, index
