"""From a batch of uint8 crops to what the network reads: RGB, normalised."""

from typing import Any

from mmengine.model import ImgDataPreprocessor
from torch import Tensor


class FacePreprocessor(ImgDataPreprocessor):
    """mmengine's preprocessor for a batch in one tensor, bit for bit, without its copies.

    mmengine indexes the channels with a list, which copies the list to the GPU in each step, and subtracts, divides and
    pads into new memory each time.
    """

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Move a batch to the device of the network; its `inputs` (B, 3, H, W) BGR become normalised RGB."""
        inputs = data['inputs']
        is_batch = isinstance(inputs, Tensor) and inputs.dim() == 4 and inputs.shape[1] == 3
        if not (is_batch and self._channel_conversion and self._enable_normalize):
            return super().forward(data, training)  # pictures of several sizes, other settings, or an error
        batch: dict[str, Any] = self.cast_data(data)
        batch['inputs'] = batch['inputs'].flip(1).float().sub_(self.mean).div_(self.std)
        batch.setdefault('data_samples', None)
        return batch
