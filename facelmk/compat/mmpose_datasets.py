"""MMPose's data set classes, with their names and arguments, as readers of MMPose's json files.

The content of MMPose's `metainfo` is in `facelmk.markups`. Pipelines with MMPose's steps are refused; the error names
the steps that do the same here.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..datasets.base import Transform
from ..datasets.readers.coco import CocoFaces
from ..errors import FacelmkError
from ..registry import DATASETS
from .mmpose_parts import STEPS


class MMPoseFaces(CocoFaces):
    """Faces of MMPose's json files; `ann_file` and `data_prefix['img']` are relative to `data_root`.

    `metainfo`, `test_mode`, `serialize_data`, `lazy_init` and `max_refetch` have no effect. `indices` selects the first
    n faces, or those of a list.
    """

    markup_name = 'wflw'
    ranges = {'indices': (0, 1_000_000_000), 'max_refetch': (0, 1_000_000)}

    def __init__(
        self,
        ann_file: str = '',
        data_root: str | None = None,
        data_prefix: Mapping[str, str] | str = '',
        pipeline: Sequence[dict | Transform] = (),
        data_mode: str = 'topdown',
        indices: int | Sequence[int] | None = None,
        metainfo: Mapping[str, Any] | None = None,
        test_mode: bool = False,
        bbox_file: str | None = None,
        filter_cfg: Mapping[str, Any] | None = None,
        serialize_data: bool = True,
        lazy_init: bool = False,
        max_refetch: int = 1000,
        markup: str | None = None,  # the class says which
        **options: Any,
    ) -> None:
        name = type(self).__name__
        if data_mode != 'topdown':
            raise FacelmkError(
                f"{name}: data_mode={data_mode!r}. Expected 'topdown': each face is cropped by its own box"
            )
        if filter_cfg:
            raise FacelmkError(f'{name}: filter_cfg={filter_cfg!r}. Leave it out: filters are not read here')
        _refuse_mmpose_steps(name, pipeline)
        folder = data_prefix if isinstance(data_prefix, str) else data_prefix.get('img', '')
        super().__init__(
            ann_file, data_root or '', folder, markup or self.markup_name, pipeline, bbox_file=bbox_file, **options
        )
        if indices is not None:
            rows = range(len(self.faces))
            self.faces = self.faces.take([rows[i] for i in (rows[:indices] if isinstance(indices, int) else indices)])

    @classmethod
    def needs(cls, options: Mapping[str, Any]) -> list[Path]:
        """The json and the folder of pictures."""
        prefix = options.get('data_prefix', '')
        folder = prefix if isinstance(prefix, str) else prefix.get('img', '')
        return CocoFaces.needs(
            {'data_root': options.get('data_root') or '', 'ann_file': options.get('ann_file'), 'image_root': folder}
        )


def _refuse_mmpose_steps(name: str, pipeline: Sequence[dict | Transform]) -> None:
    """Refuse a pipeline with MMPose's steps, and name the steps that do the same here."""
    kinds = [step['type'].rpartition('.')[2] for step in pipeline if isinstance(step, Mapping)]
    if foreign := [kind for kind in dict.fromkeys(kinds) if kind in STEPS]:
        replacements = ', '.join(f'{kind}: {STEPS[kind]}' for kind in foreign)
        raise FacelmkError(
            f'{name}: the pipeline has steps of MMPose ({foreign[0]}). Write LoadImage, CropFace(...), PackFace in '
            f'their place, as the configs under configs/_base_ do. The same steps here: {replacements}'
        )


@DATASETS.register_module()
class WFLWDataset(MMPoseFaces):
    """WFLW's 98 points, boxes from center and scale."""


@DATASETS.register_module()
class Face300WDataset(MMPoseFaces):
    """300W's 68 points, boxes from center and scale."""

    markup_name = '300w'


@DATASETS.register_module()
class AFLWDataset(MMPoseFaces):
    """AFLW's 19 points, boxes from center and scale; `norm` is the box size."""

    markup_name = 'aflw'


@DATASETS.register_module()
class Face300WLPDataset(MMPoseFaces):
    """300W-LP's 68 points, boxes from bbox; they mirror, as MMPose's do not."""

    markup_name = '300wlp'
    boxes = ('bbox', 'file', 'tight')


@DATASETS.register_module()
class COFWDataset(MMPoseFaces):
    """COFW's 29 points, boxes from bbox."""

    markup_name = 'cofw'
    boxes = ('bbox', 'file', 'tight')


@DATASETS.register_module()
class LapaDataset(MMPoseFaces):
    """LaPa's 106 points, boxes from bbox."""

    markup_name = 'lapa'
    boxes = ('bbox', 'file', 'tight')


@DATASETS.register_module()
class CocoWholeBodyFaceDataset(MMPoseFaces):
    """The 68 points of COCO-WholeBody's faces, boxes from face_box."""

    markup_name = 'coco_wholebody_face'
    boxes = ('bbox', 'file', 'tight')


MARKUP_OF = {  # the landmark scheme of each class
    kind.__name__: kind.markup_name
    for kind in (
        WFLWDataset,
        Face300WDataset,
        AFLWDataset,
        Face300WLPDataset,
        COFWDataset,
        LapaDataset,
        CocoWholeBodyFaceDataset,
    )
}
