"""The order of a data set in each epoch."""

from collections.abc import Iterator, Sized
from itertools import islice

from mmengine.dataset import DefaultSampler

from ..errors import FacelmkError
from ..registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class FaceSampler(DefaultSampler):
    """Distributes a data set over the ranks and yields (seed, epoch, index) for `FaceDataset`.

    Persistent workers do not see a new epoch number, so it travels with the index. `skip` is the number of this rank's
    samples to leave out once, in the next epoch: a resumed run continues after them.
    """

    skip = 0
    ranges = {'seed': (0, 2**32 - 1)}

    def __init__(self, dataset: Sized, shuffle: bool = True, seed: int | None = None, round_up: bool = True) -> None:
        whole = getattr(dataset, '_dataset', dataset)  # of the first `num_batch_per_epoch` batches
        if len(whole) < len(dataset):
            raise FacelmkError(
                f'num_batch_per_epoch asks for {len(dataset)} faces. Expected at most the {len(whole)} of the data set'
            )
        super().__init__(dataset, shuffle, seed, round_up)

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        first, self.skip = self.skip, 0
        for index in islice(super().__iter__(), first, None):
            yield self.seed, self.epoch, index
