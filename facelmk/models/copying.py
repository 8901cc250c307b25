"""Which tensors of a batch go to the device of the network: those that the step reads, without waiting for the copy."""

from typing import Any

import torch

from .preprocessor import FacePreprocessor

Keys = tuple[str, ...]


class CopiesWhatIsRead(FacePreprocessor):
    """Moves only the columns of `data_samples` that a step reads; the others stay where the loader made them.

    `training_keys` are those of a training step, `test_keys` those of a prediction; None moves all of them. From pinned
    memory (`pin_memory=True` of a data loader) the copies run beside the network's work.
    """

    def __init__(self, *args: Any, training_keys: Keys | None = None, test_keys: Keys | None = None, **options: Any):
        super().__init__(*args, non_blocking=torch.cuda.is_available(), **options)
        self.training_keys, self.test_keys = training_keys, test_keys

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Return the batch with normalised `inputs`; both they and the chosen columns are on the network's device."""
        samples, keys = data.get('data_samples'), self.training_keys if training else self.test_keys
        if keys is None or not isinstance(samples, dict):
            batch: dict[str, Any] = super().forward(data, training)
            return batch
        read = {key: value for key, value in samples.items() if key in keys}
        batch = super().forward({**data, 'data_samples': read}, training)
        return {**batch, 'data_samples': {**samples, **batch['data_samples']}}
