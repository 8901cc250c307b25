"""Files to faces to samples: one reader a file format, and the transforms that lead to the network's input."""

from .base import AnnotatedFaces, FaceDataset
from .boxes import HalfBody, TightBox, WingBox
from .coco import CocoFaces
from .colour import HSV, Photometric
from .csv import CsvFaces
from .joined import JoinedFaces, RepeatedFaces
from .lapa import LapaTxt
from .mat import CofwMat
from .matlab import Cofw68Mat, Mat300WLP
from .mmpose import (
    AFLWDataset,
    CocoWholeBodyFaceDataset,
    COFWDataset,
    Face300WDataset,
    Face300WLPDataset,
    LapaDataset,
    WFLWDataset,
)
from .photometric import Blur, CoarseDropout, ColourJitter, Grey, Jpeg, MedianBlur, Noise, Occlude, Shrink
from .pts import PtsFaces
from .published import PublishedFaces
from .sampler import FaceSampler
from .stages import FromEpoch
from .synthetic import SyntheticFaces
from .transforms import CropFace, LoadImage, PackFace, collate_faces
from .weigh_points import WeighPoints
from .wflw import WflwTxt
