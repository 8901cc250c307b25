"""Other projects' functions under their own names, as thin doors: what they called works here, and what broke does not.

The first group is that of HRNet-landmarks (https://github.com/vlad3996/HRNet-landmarks), on the original HRNet's
crops and maps; the second that of MMPose.
"""

from .hrnet import HighResolutionNet, get_lmks_by_img, get_model_by_name
from .landmarks import alignment_orig, get_five_landmarks_from_net, set_circles_on_img, show_landmarks
from .mmpose import inference_topdown, init_model
from .pixels import crop, decode_preds, get_preds, get_transform, transform_pixel, transform_preds
