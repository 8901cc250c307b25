"""All data sets, transforms and functions of data; importing this module registers them. It imports torch."""

from .annotated import AnnotatedFaces
from .base import FaceDataset, SampleDataset
from .collate import collate_faces, collate_scenes
from .joined import JoinedFaces, RepeatedFaces
from .readers import *  # noqa: F403, the list of readers is written once
from .sampler import FaceSampler
from .scenes import FacesInPictures, SceneDataset
from .transforms.boxes import HalfBody, TightBox, WingBox
from .transforms.colour import HSV, Photometric
from .transforms.crop import CropFace
from .transforms.fit_scene import FitScene
from .transforms.load import LoadImage
from .transforms.pack import PackFace
from .transforms.pack_scene import PackScene
from .transforms.photometric import Blur, CoarseDropout, ColourJitter, Grey, Jpeg, MedianBlur, Noise, Occlude, Shrink
from .transforms.share_landmarks import ShareLandmarks
from .transforms.stages import FromEpoch
from .transforms.weigh_points import WeighPoints
