"""The base of all readers: faces listed in annotation files, with their boxes, subsets and defects."""

import collections
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataDefect, FacelmkError, UnknownName, did_you_mean
from .base import FaceDataset, Transform
from .box_file import BoxFile, detections_of, match_boxes, warn_undetected
from .columns import FaceColumns, make_columns
from .defects import DefectList, short
from .face_rows import FaceRows, as_columns, make_ids_unique
from .find_pictures import PictureFinder
from .needs import annotation_paths
from .pack_file import PackedFaces
from .packing import read_or_open
from .records import FaceRecord, Mask, find_defective, join_paths, tight_boxes
from .schemes import Points


class Detected(NamedTuple):
    """How to read a file or folder: arguments of the reader, the number of points, names of some pictures.

    `points` holds the names, the skeleton and some positions of the points, as far as the file has them. `size` is
    None for a damaged file: the reader will say what is wrong with it. `root` is the folder of the pictures as the file
    names it.
    """

    options: dict[str, Any]
    size: int | None
    pictures: Sequence[str] = ()
    points: Points | None = None
    root: str | None = None


class AnnotatedFaces(FaceDataset):
    """Faces listed in annotation files. A reader of one format derives from it and defines `read`.

    `ann_file` and `image_root` are relative to `data_root`. `box` is one of the reader's `boxes`, by default the first;
    'tight' is the square box around the landmarks, as in published tables. `origin` is the number that the file gives
    to the first pixel: published tables are read unchanged (0); `origin=1` subtracts one from boxes and landmarks.
    `tags` joins subset files: {'pose': 'face_landmarks_wflw_test_largepose.csv'} adds the tag 'pose' to the faces of
    that file. `only` selects the faces of one subset. `check_pictures` checks at once that every picture exists.
    `defects` says what happens to defective records. 'stop' raises one error that names them. 'skip' leaves them out
    and logs how many; the attribute `defects` lists them. 'keep' leaves them in, with NaN as landmarks, for `facelmk
    data check`. If the file as a whole cannot be read, 'stop' and 'skip' raise an error.
    `packed` keeps the faces of a large set in one file of the cache folder, or of the folder that it names, so that the
    next start need not read the annotations (docs/scale.md). False reads them at each start.
    `bbox_file` holds boxes of a detector (`BoxFile`). The crop of a face is then made around the detected box that
    overlaps its own box most, with an intersection over union of at least `bbox_iou`; metrics count a face without one
    as a failure. `find_pictures` looks below `image_root` for pictures whose path leads to none, such as the absolute
    paths of another machine.
    """

    boxes: tuple[str, ...] = ('file', 'tight')
    own_tags = False  # whether the annotation file itself contains the subsets
    is_reader = True
    one_file_a_picture = False  # whether the format has an annotation file for each picture, so that a folder is a set
    layout = ''  # what `detect` recognises, for messages
    version: int = 1  # raise it when `read` gives other faces for the same files: packed files are then made anew
    ranges = {'origin': {0, 1}, 'bbox_iou': (0, 1)}

    def __init__(
        self,
        ann_file: str = '',
        data_root: str = '',
        image_root: str = '',
        markup: str = 'wflw',
        pipeline: Sequence[dict | Transform] = (),
        box: str | None = None,
        origin: int = 0,
        tags: Mapping[str, str] | None = None,
        only: str | None = None,
        subsets: Sequence[str] | None = None,
        check_pictures: bool = False,
        whole: str | None = None,
        defects: str = 'stop',
        bbox_file: str | None = None,
        bbox_iou: float = 0.3,
        packed: bool | str = True,
        find_pictures: bool = False,
    ) -> None:
        tags = dict(tags or {})
        super().__init__(markup, pipeline, tuple(tags) if subsets is None and tags else subsets, whole=whole)
        self.box = self._choice('box', self.boxes[0] if box is None else box, self.boxes)
        self.origin = self._choice('origin', origin, (0, 1))
        self.data_root, self.image_root = Path(data_root), Path(data_root, image_root)
        self.ann_file = Path(data_root, ann_file)
        self.defects, self.on_defects = DefectList(), self._choice('defects', defects, ('stop', 'skip', 'keep'))
        self._tag_files, self._only, self.bbox_file, self.bbox_iou = tags, only, bbox_file, bbox_iou
        self.packed, self.box_counts, self._named_subsets = False if find_pictures else packed, (0, 0), self.subsets
        self.finder = PictureFinder(self.image_root) if find_pictures else None
        self.faces: FaceColumns | FaceRows = FaceRows()
        read_or_open(self, self._read_all)
        if check_pictures:
            self._check_pictures()
        self._apply_defects()

    def _read_all(self) -> None:
        """Read the faces that a packed file holds: selected, without skipped ones, with detected boxes."""
        try:
            self._read_faces()
        except DataDefect as error:
            if self.on_defects != 'keep':
                raise
            self.defects.add(self.ann_file, 'the data set', str(error).removeprefix(f'{self.ann_file} '))
        if self.on_defects == 'skip' and self.defects:
            self.faces = self.faces.take(np.flatnonzero(self.faces.valid()))
        if self.bbox_file and self.faces and not (self.defects and self.on_defects == 'stop'):
            self._add_detections(Path(self.bbox_file), self.bbox_iou)

    def _read_faces(self) -> None:
        with np.errstate(invalid='ignore', over='ignore'):  # defective records hold NaN or huge numbers
            self.faces = make_ids_unique(as_columns(self.read(self.ann_file)))
            for tag, file in self._tag_files.items():
                self._add_tag(tag, Path(self.data_root, file))
        if self._only is not None and self.faces:
            self._select(self._only)

    def _apply_defects(self) -> None:
        if self.on_defects == 'stop':
            self.defects.stop()
        if self.on_defects == 'skip':
            self.defects.warn_skipped()
        if not self.faces and not (self.defects and self.on_defects == 'keep'):
            skipped = f' after {len(self.defects)} defective records were skipped' if self.defects else ''
            raise DataDefect(f'{self.ann_file} holds no face{skipped}. Check that it is the right file for this reader')
        if self.bbox_file and self.faces:
            warn_undetected(Path(self.bbox_file), self.ann_file, self.faces, self.box_counts, self.bbox_iou)

    @classmethod
    def needs(cls, options: Mapping[str, Any]) -> list[Path]:
        """Return the files and folders that a reader with these arguments cannot do without."""
        return annotation_paths(options)

    @classmethod
    def absent(cls, options: Mapping[str, Any]) -> list[Path]:
        """Return the files and folders that a reader with these arguments needs and that are not on the disk."""
        return [path for path in cls.needs(options) if not path.exists()]

    @classmethod
    def detect(cls, path: Path) -> Detected | None:
        """Return how to read a file or folder, or None if it is not in this format."""
        return None

    def sources(self) -> list[Path]:
        """Return the files that `read` reads, and folders of whose files it reads some or finds the names."""
        return [self.ann_file]

    def all_sources(self) -> list[Path]:
        """Return the files and folders on which the faces depend."""
        tag_files = [Path(self.data_root, file) for file in self._tag_files.values()]
        return [*self.sources(), *tag_files, *([Path(self.bbox_file)] if self.bbox_file else [])]

    def read(self, file: Path) -> Sequence[FaceRecord]:
        """Return the faces of `file` in its order; add defective records to `self.defects`."""
        raise TypeError(f'{type(self).__name__} must define read(file): how it reads {file}')

    def picture_ids(self) -> dict[Any, str]:
        """Return the path of each picture by the id that the annotations give it; most formats give none."""
        return {}

    def __len__(self) -> int:
        return len(self.faces)

    def face(self, index: int) -> FaceRecord:
        try:
            return dict(self.faces[index])
        except DataDefect:
            if not isinstance(self.faces, PackedFaces):
                raise
        self._replace_damaged(self.faces)
        return dict(self.faces[index])

    def _replace_damaged(self, faces: PackedFaces) -> None:
        """Read the annotations again in place of a packed file that was damaged after it was opened."""
        faces.remove()
        before, self.defects = self.defects, DefectList()  # the packed file holds only what reading finds
        self.subsets = self._named_subsets
        read_or_open(self, self._read_all)
        for file, record, wrong in before:
            self.defects.add(Path(file), record, wrong)
        if faces.rows is not None:
            self.faces = self.faces.take(faces.rows)

    def rows(
        self,
        file: Path,
        names: Sequence[str],
        landmarks: ArrayLike,
        boxes: ArrayLike | None = None,
        visible: ArrayLike | None = None,
        norms: Sequence[float | None] | None = None,
        tags: Sequence[tuple[str, ...]] | None = None,
        defective: Mask | None = None,
        first: int = 0,
    ) -> FaceColumns:
        """Return the faces of N records.

        `names` are the pictures, landmarks (N, K, 2), boxes (N, 4) or None for tight ones, visible (N, K) or None for
        all. `defective` (N,) marks records whose defect is already listed. A reader of large files calls this for some
        thousand records at once: `first` is then the index of the first of them, and `join` of `columns` puts the
        faces together.
        """
        names = names if self.finder is None else list(map(self.finder.find, names))
        points = np.asarray(landmarks, np.float64) - self.origin
        self._check_size(file, names, points)
        flags = np.ones(points.shape[:2]) if visible is None else np.asarray(visible, np.float64)
        tight = boxes is None or self.box == 'tight'
        corners = tight_boxes(points, flags) if tight else np.asarray(boxes, np.float64) - self.origin
        norms = [norm or None for norm in norms or [None] * len(names)]
        known = np.zeros(len(names), bool) if defective is None else defective
        points[find_defective(file, names, points, corners, flags, norms, known, self.defects, first)] = np.nan
        lengths = np.array([np.nan if norm is None else norm for norm in norms], np.float64)
        values = {'box': corners, 'landmarks': points, 'visible': flags}
        arrays = {name: ('array', array.astype(np.float32)) for name, array in values.items()}
        prefix, paths = join_paths(self.image_root, names)
        return make_columns(names, paths, tags or [()] * len(names), arrays | {'norm': ('norm', lengths)}, prefix)

    def _choice(self, option: str, value: Any, choices: Sequence[Any]) -> Any:
        if value not in choices:
            known = ', '.join(map(repr, choices))
            raise FacelmkError(f'{type(self).__name__}: {option}={value!r}. Choose from {known}')
        return value

    def _check_size(self, file: Path, names: Sequence[str], landmarks: NDArray) -> None:
        if len(names) and landmarks.shape[1:] != (self.markup.size, 2):
            raise DataDefect(
                f'{file}: {short(repr(names[0]))} has {landmarks.shape[1]} landmarks. The landmark scheme '
                f'{self.markup.name!r} has {self.markup.size}. Set markup= to the scheme of this file'
            )

    def _add_tag(self, tag: str, file: Path) -> None:
        """Add a tag to the faces that a subset file lists, found by picture and landmarks."""
        by_picture = collections.defaultdict(list)
        for i, path in enumerate(self.faces.paths()):
            by_picture[Path(path).name].append(i)
        tags, valid = self.faces.tags(), self.faces.valid()
        for row in make_ids_unique(as_columns(self.read(file))):
            candidates = [i for i in by_picture[Path(row['path']).name] if tag not in tags[i] and valid[i]]
            distances = [np.abs(self.faces[i]['landmarks'] - row['landmarks']).max() for i in candidates]
            if distances and min(distances) < 1:
                i = candidates[int(np.argmin(distances))]
                tags[i] = (*tags[i], tag)
            else:
                self.defects.add(file, row['id'], f'not in {self.ann_file}, which must contain the subset {tag!r}')
        self.faces = self.faces.with_tags(tags)

    def _select(self, tag: str) -> None:
        tags = self.faces.tags()
        known = {name for names in set(tags) for name in names}
        if tag not in known:
            raise UnknownName(f'{self.ann_file}: no face is in subset {tag!r}. {did_you_mean(tag, known)}')
        self.faces = self.faces.take([i for i, names in enumerate(tags) if tag in names])

    def _add_detections(self, file: Path, least: float) -> None:
        """Add the detected box of each face as `detection`, or NaN if it has none."""
        boxes = BoxFile(file, self.picture_ids())
        by_picture = collections.defaultdict(list)
        for i, path in enumerate(self.faces.paths()):
            by_picture[path].append(i)
        detected = np.full((len(self.faces), 4), np.nan, np.float32)
        unused = 0
        for picture, rows in by_picture.items():
            detections = detections_of(boxes, picture)
            chosen = match_boxes(np.stack([self.faces[i]['box'] for i in rows]), detections, least)
            unused += len(detections) - int((chosen >= 0).sum())
            for i, index in zip(rows, chosen, strict=True):
                detected[i] = detections[index] if index >= 0 else np.nan
        self.faces = self.faces.with_array('detection', detected)
        self.box_counts = int(np.isfinite(detected).all(1).sum()), unused

    def _check_pictures(self) -> None:
        paths = self.faces.paths()
        missing = {path: 'no such picture' for path in dict.fromkeys(paths) if not os.path.isfile(path)}
        self.defects.add_all(self.ann_file, missing.items())
        if self.on_defects == 'skip' and missing:
            self.faces = self.faces.take([i for i, path in enumerate(paths) if path not in missing])
