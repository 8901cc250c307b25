"""The order of a data set, and what each draw depends on."""
from collections.abc import Iterator

from mmengine.dataset import DefaultSampler

from ..registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class FaceSampler(DefaultSampler):
    """Shares a data set out over the ranks and hands (seed, epoch, index) to `FaceDataset`.

    Persistent workers do not see a new epoch number; the index brings it to them.
    """

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        for index in super().__iter__():
            yield self.seed, self.epoch, index
