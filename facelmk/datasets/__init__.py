"""Files to faces to samples: one reader a file format, and the transforms that lead to the network's input."""
from .base import AnnotatedFaces, FaceDataset
from .coco import CocoFaces
from .csv import CsvFaces
from .mat import CofwMat
from .photometric import Blur, ColourJitter, Grey, Jpeg, Noise, Occlude, Shrink
from .pts import PtsFaces
from .published import PublishedFaces
from .sampler import FaceSampler
from .synthetic import SyntheticFaces
from .transforms import CropFace, LoadImage, PackFace, collate_faces
from .wflw import WflwTxt
