"""Read the photograph of a face."""

from pathlib import Path

from mmcv.transforms import BaseTransform

from ...registry import TRANSFORMS
from ..base import FaceRecord
from ..crops.late_part import late_photograph
from ..crops.part import PicturePart, uses_parts
from ..crops.store import CropStore
from ..images.decode import decode, decode_reduced, read_file, read_image
from ..images.pixel_limit import pixel_limit
from .crop import crop_box


@TRANSFORMS.register_module()
class LoadImage(BaseTransform):
    """Adds `image` (H, W, 3), uint8 BGR, upright by its EXIF orientation; a face that already has an image keeps it.

    A picture of more than `max_pixels` is refused before it is decoded. The default is FACELMK_MAX_PIXELS, or 64
    million. `crop_cache` is a folder that `facelmk data cache` has made: faces in it get a `part` of their photograph,
    which `CropFace` uses, and a black `image` of the same size. Faces that are not in it, and those whose picture file
    has changed, are read from their files. With `reduced`, the side of the crop, a JPEG is decoded at 1/2, 1/4 or 1/8
    of its sides as long as the longer side of the box keeps so many pixels; crops then differ a little.
    """

    ranges = {'max_pixels': (1, 2**29), 'reduced': (16, 4096)}

    def __init__(
        self, max_pixels: int | None = None, crop_cache: str | Path | None = None, reduced: int | None = None
    ) -> None:
        self.max_pixels, self.reduced = max_pixels, reduced
        self.crop_cache = None if crop_cache is None else CropStore(crop_cache)

    @property
    def makes_parts(self) -> bool:
        """Whether a sample may hold a part of its photograph only."""
        return self.crop_cache is not None or self.reduced is not None

    @property
    def may_reduce(self) -> bool:
        """Whether a part may have fewer pixels than the photograph."""
        return self.reduced is not None or (self.crop_cache is not None and self.crop_cache.about.resize > 0)

    @uses_parts
    def transform(self, sample: FaceRecord) -> FaceRecord:
        return self._load(sample, for_crop=False)

    def load_for_crop(self, sample: FaceRecord) -> FaceRecord:
        """Do the same for steps that need the pixels of the crop only: a usual JPEG is decoded down to its end."""
        return self._load(sample, for_crop=True)

    def _load(self, sample: FaceRecord, for_crop: bool) -> FaceRecord:
        if 'image' in sample:
            return sample
        part = None if self.crop_cache is None else self.crop_cache.part(sample, self.max_pixels)
        if part is None and self.reduced is not None:
            part = self._reduced(sample, self.reduced)
        if part is None:
            content, name = read_file(sample['path']), str(sample['path'])
            part = self._late(content, name) if for_crop else None
        if part is None:
            sample['image'] = decode(content, name, self.max_pixels)
        else:
            sample['image'], sample['part'] = part.black, part
        return sample

    def _late(self, content: bytes, name: str) -> PicturePart | None:
        return late_photograph(content, pixel_limit(self.max_pixels), lambda: decode(content, name, self.max_pixels))

    def _reduced(self, sample: FaceRecord, least: int) -> PicturePart | None:
        """Return the photograph, decoded at a part of its size; None if the box is too small for that."""
        x1, y1, x2, y2 = crop_box(sample)
        divisor = next((number for number in (8, 4, 2) if max(x2 - x1, y2 - y1) >= number * least), 1)
        if divisor == 1:
            return None
        path, limit = sample['path'], self.max_pixels
        small, width, height = decode_reduced(read_file(path), str(path), divisor, limit)
        is_small = small.shape[:2] != (height, width)
        whole = (0, 0, width, height)
        return PicturePart(width, height, whole, small, lambda: read_image(path, limit), divisor if is_small else None)
