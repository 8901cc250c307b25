"""Read the photograph of a face."""

from pathlib import Path

from mmcv.transforms import BaseTransform

from ...registry import TRANSFORMS
from ..base import FaceRecord
from ..crops.store import CropStore
from ..images.decode import read_image


@TRANSFORMS.register_module()
class LoadImage(BaseTransform):
    """Adds `image` (H, W, 3), uint8 BGR, upright by its EXIF orientation; a face that already has an image keeps it.

    A picture of more than `max_pixels` is refused before it is decoded. The default is FACELMK_MAX_PIXELS, or 64
    million. `crop_cache` is a folder that `facelmk data cache` has made: faces in it get a `part` of their photograph,
    which `CropFace` uses, and a black `image` of the same size. Faces that are not in it, and those whose picture file
    has changed, are read from their files.
    """

    ranges = {'max_pixels': (1, 2**29)}

    def __init__(self, max_pixels: int | None = None, crop_cache: str | Path | None = None) -> None:
        self.max_pixels = max_pixels
        self.crop_cache = None if crop_cache is None else CropStore(crop_cache)

    @property
    def makes_parts(self) -> bool:
        """Whether a sample may hold a part of its photograph only."""
        return self.crop_cache is not None

    @property
    def may_reduce(self) -> bool:
        """Whether a part may have fewer pixels than the photograph."""
        return self.crop_cache is not None and self.crop_cache.about.resize > 0

    def transform(self, sample: FaceRecord) -> FaceRecord:
        if 'image' in sample:
            return sample
        part = None if self.crop_cache is None else self.crop_cache.part(sample, self.max_pixels)
        if part is None:
            sample['image'] = read_image(sample['path'], self.max_pixels)
        else:
            sample['image'], sample['part'] = part.black, part
        return sample
