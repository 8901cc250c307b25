"""Files to faces to samples: one reader a file format, and the transforms that lead to the network's input."""

from typing import Any

from ..registry import DATASETS
from .base import AnnotatedFaces, FaceDataset
from .joined import JoinedFaces, RepeatedFaces
from .readers.coco import CocoFaces
from .readers.cofw_mat import CofwMat
from .readers.csv import CsvFaces
from .readers.lapa import LapaTxt
from .readers.per_face_mat import Cofw68Mat, Mat300WLP
from .readers.pts import PtsFaces
from .readers.published import PublishedFaces
from .readers.wflw import WflwTxt
from .sampler import FaceSampler
from .transforms.boxes import HalfBody, TightBox, WingBox
from .transforms.colour import HSV, Photometric
from .transforms.crop import CropFace, LoadImage, PackFace, collate_faces
from .transforms.photometric import Blur, CoarseDropout, ColourJitter, Grey, Jpeg, MedianBlur, Noise, Occlude, Shrink
from .transforms.stages import FromEpoch
from .transforms.weigh_points import WeighPoints


def __getattr__(name: str) -> Any:
    """`facelmk.datasets.SyntheticFaces`: a data set of another room, by way of the registry."""
    if name == 'SyntheticFaces':
        return DATASETS.get(name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
