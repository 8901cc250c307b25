"""Writers of annotation files, one for each format; `FORMATS` lists them by name."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from ....markups import Markup
from ...records import FaceRecord
from .coco import write_coco
from .csv import write_csv
from .cvat import write_cvat
from .dlib_xml import write_dlib
from .label_studio import write_label_studio
from .labelme import write_labelme
from .lapa import write_lapa
from .npz import write_npz
from .pts import write_pts
from .wflw import write_wflw

Writer = Callable[[Sequence[FaceRecord], Path, Sequence[str], str, Markup], None]


class Format(NamedTuple):
    """A format: its writer, which fields of a face it holds, its only number of points if it has one,
    what it loses of the boxes, whether it is a folder, and whether it holds whole pixels alone."""

    write: Writer
    fields: tuple[str, ...] = ()
    size: int | None = None
    lost_boxes: str = ''
    is_folder: bool = False
    whole_pixels: bool = False


FORMATS = {
    'coco': Format(write_coco, ('box', 'visible', 'norm', 'tags')),
    'csv': Format(write_csv, ('norm', 'tags')),
    'wflw': Format(write_wflw, size=98, lost_boxes="the boxes, unless they are read with box='provided'"),
    'pts': Format(write_pts, lost_boxes='the boxes: the reader puts the tight box around the points', is_folder=True),
    'lapa': Format(
        write_lapa, size=106, lost_boxes='the boxes: the reader takes the rectangle of the points', is_folder=True
    ),
    'cvat': Format(write_cvat, ('box', 'visible')),
    'labelme': Format(write_labelme, ('box', 'visible'), is_folder=True),
    'labelstudio': Format(write_label_studio, ('box', 'visible')),
    'dlib': Format(write_dlib, ('box', 'visible'), whole_pixels=True),
    'npz': Format(write_npz, ('box', 'visible')),
}
