"""The order of a data set in each epoch."""

from collections.abc import Iterator, Sized

import numpy as np
import torch
from mmengine.dataset import DefaultSampler
from numpy.typing import NDArray

from ..errors import FacelmkError
from ..registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class FaceSampler(DefaultSampler):
    """Distributes a data set over the ranks and yields (seed, epoch, index) for `FaceDataset`.

    Persistent workers do not see a new epoch number, so it travels with the index. `skip` is the number of this rank's
    samples to leave out once, in the next epoch: a resumed run continues after them. The order is that of mmengine's
    sampler, held as an array of this rank's indices: 1e7 faces cost 40 MB divided by the number of ranks.
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
        for index in map(int, self._indices()[first:]):
            yield self.seed, self.epoch, index

    def _indices(self) -> NDArray[np.integer]:
        """Return the indices of this rank in the present epoch."""
        count = len(self.dataset)
        dtype = torch.int32 if count < 1 << 31 else torch.int64  # both give the same permutation
        if self.shuffle:
            random = torch.Generator()
            random.manual_seed(self.seed + self.epoch)
            order = torch.randperm(count, generator=random, dtype=dtype).numpy()
        else:
            order = torch.arange(count, dtype=dtype).numpy()
        if self.total_size != count:
            order = np.resize(order, self.total_size)  # from its start again
        return order[self.rank : self.total_size : self.world_size].copy()
