"""Read the photograph of a face."""

from mmcv.transforms import BaseTransform

from ...registry import TRANSFORMS
from ..base import FaceRecord
from ..images.decode import read_image


@TRANSFORMS.register_module()
class LoadImage(BaseTransform):
    """Adds `image` (H, W, 3), uint8 BGR, upright by its EXIF orientation; a face that already has an image keeps it.

    A picture of more than `max_pixels` is refused before it is decoded. The default is FACELMK_MAX_PIXELS, or 64
    million.
    """

    ranges = {'max_pixels': (1, 2**29)}

    def __init__(self, max_pixels: int | None = None) -> None:
        self.max_pixels = max_pixels

    def transform(self, sample: FaceRecord) -> FaceRecord:
        if 'image' not in sample:
            sample['image'] = read_image(sample['path'], self.max_pixels)
        return sample
