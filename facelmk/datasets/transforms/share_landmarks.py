"""Points of joined landmark schemes that mean the same position."""

from mmcv.transforms import BaseTransform

from ...errors import FacelmkError
from ...registry import TRANSFORMS
from ..base import FaceRecord


@TRANSFORMS.register_module()
class ShareLandmarks(BaseTransform):
    """Copies a visible landmark to the other landmark of its pair in `Markup.same`, if that one is not visible.

    Use it in training, before CropFace. In the scheme that joins 98 and 68 points, a face of 68 points then also
    teaches 60 of the 98.
    """

    reads_pixels = False

    def transform(self, sample: FaceRecord) -> FaceRecord:
        if 'points' in sample:
            raise FacelmkError(
                'ShareLandmarks stands after CropFace, which has already computed the points of the crop. Put it '
                'before CropFace in the pipeline'
            )
        landmarks, visible = sample['landmarks'].copy(), sample['visible'].copy()
        for a, b in sample['markup'].same:
            for known, unknown in ((a, b), (b, a)):
                if visible[known] > 0 and visible[unknown] == 0:
                    landmarks[unknown], visible[unknown] = landmarks[known], visible[known]
        return sample | {'landmarks': landmarks, 'visible': visible}
