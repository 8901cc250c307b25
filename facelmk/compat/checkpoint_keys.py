"""Parameter and layer names that other projects use in their checkpoints, registered for `facelmk.checkpoint`."""

import re

from ..checkpoint.dialects import BACKBONE_PREFIX, Dialect
from ..registry import DIALECTS, FUNCTIONS

CLASSIFIER = re.compile(
    r'^(fc|classifier|'  # ResNet, DLA, HRNet
    r'incre_modules|downsamp_modules|final_layer|'  # HRNet
    r'level[34]\.project)\.'  # DLA's outer trees hold these and never use them
)


@FUNCTIONS.register_module()
def is_classifier(key: str) -> bool:
    """Whether a tensor of a network that was trained on ImageNet belongs to the classifier, which no backbone has."""
    return CLASSIFIER.match(key) is not None


FLOW = 'terms.loss_rle.loss.flow_model.'


@DIALECTS.register_module()
class MMPose0(Dialect):
    """MMPose 0.x, which keeps all convolutions of a head in one list. https://github.com/open-mmlab/mmpose/tree/0.x"""

    name, mark, order = 'MMPose before 1.0', r'^keypoint_head\.', 10
    renames = (
        (r'^keypoint_head\.final_layer\.([01])\.', r'head.conv_layers.\1.'),
        (r'^keypoint_head\.final_layer\.3\.', 'head.final_layer.'),
        (r'^keypoint_head\.loss\.flow_model\.', FLOW),
        (r'^keypoint_head\.', 'head.'),
    )


@DIALECTS.register_module()
class MMPoseRLE(Dialect):
    """MMPose 1.x, whose regression by likelihood keeps the flow of its loss in the head."""

    name, mark, order = 'MMPose with RLELoss', r'^head\.loss_module\.flow_model\.', 15
    renames = ((r'^head\.loss_module\.flow_model\.', FLOW),)


@DIALECTS.register_module()
class OriginalHRNet(Dialect):
    """https://github.com/HRNet/HRNet-Facial-Landmark-Detection"""

    name, mark, order = 'HRNet-Facial-Landmark-Detection', r'^stage4\.', 30
    renames = ((r'^head\.([01])\.', r'head.conv_layers.\1.'), (r'^head\.3\.', 'head.final_layer.'), BACKBONE_PREFIX)


@DIALECTS.register_module()
class AdaptiveWing(Dialect):
    """https://github.com/protossw512/AdaptiveWingLoss"""

    name, mark, order = 'Adaptive Wing', r'^conv_last0\.', 40
    renames = (BACKBONE_PREFIX,)
