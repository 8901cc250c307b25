"""The readers, one for each file format. To add a format, write its file and name its class in this one."""

from ..annotated import AnnotatedFaces
from .coco import CocoFaces
from .cofw_mat import Cofw68Mat, CofwMat
from .csv import CsvFaces
from .cvat import CvatXml
from .dlib_xml import DlibXml
from .label_studio import LabelStudioJson
from .labelme import LabelmeJson
from .lapa import LapaTxt
from .npz import NpzFaces
from .pts import PtsFaces
from .published import PublishedFaces
from .w300lp_mat import Mat300WLP
from .wflw import WflwTxt

__all__ = [
    'CocoFaces',
    'Cofw68Mat',
    'CofwMat',
    'CsvFaces',
    'CvatXml',
    'DlibXml',
    'LabelStudioJson',
    'LabelmeJson',
    'LapaTxt',
    'Mat300WLP',
    'NpzFaces',
    'PtsFaces',
    'PublishedFaces',
    'WflwTxt',
]
# `open_faces` asks them in this order whether a file or folder is theirs
READERS: tuple[type[AnnotatedFaces], ...] = (
    LabelStudioJson,
    LabelmeJson,
    CocoFaces,
    CvatXml,
    DlibXml,
    CsvFaces,
    NpzFaces,
    WflwTxt,
    CofwMat,
    Cofw68Mat,
    LapaTxt,
    Mat300WLP,
    PtsFaces,
)
