"""Files to faces to samples: one reader a file format, and the transforms that lead to the network's input."""
from .base import AnnotatedFaces, FaceDataset
from .photometric import Blur, ColourJitter, Grey, Jpeg, Noise, Occlude, Shrink
from .sampler import FaceSampler
from .transforms import CropFace, LoadImage, PackFace, collate_faces
