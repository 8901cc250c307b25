"""ComposedScenes: scenes with pasted faces as a data set."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...datasets.base import FaceDataset, Transform
from ...datasets.joined import build_without_pipeline
from ...datasets.scenes import SceneDataset, SceneRecord
from ...errors import FacelmkError
from ...registry import DATASETS, Range, Ranges
from .compose import SCENE_PX, SceneOptions, compose
from .sources import Portrait, Portraits
from .whole_picture import show_picture

DRAWN = dict(type='SyntheticFaces', markup='300w', count=500, size=160)  # the faces where a config names none


@DATASETS.register_module()
class ComposedScenes(SceneDataset):
    """`count` scenes of `size` pixels from number `start` of stream `seed`, composed on demand.

    Each has up to `most_faces` faces; the longer side of a face is between the two numbers of `face_px`, in pixels of a
    scene of 192. `faceless` is the share of scenes without a face, `whole` that of scenes that are one of the pictures
    itself, near or far. `faces` are data sets of annotated faces, chosen with `weights`; drawn faces are read fast from
    a cache, pictures from files are kept in memory. Clothes and shuffled pieces of these pictures are background.
    With `renew`, each epoch of a run has other scenes. Without it, the scenes are always the same.
    """

    ranges: Ranges = {
        'count': (1, 100_000_000),
        'seed': (0, 2**32 - 1),
        'start': (0, 2**32 - 1),
        'size': (64, 1024),
        'most_faces': (0, 50),
        'face_px': Range(6, 1000, length=2, rising=True),
        'faceless': (0, 1),
        'whole': (0, 1),
        'weights': (0, 1000, True),
    }

    def __init__(
        self,
        count: int = 10_000,
        seed: int = 0,
        start: int = 0,
        size: int = 192,
        faces: Sequence[FaceDataset | Mapping[str, Any]] = (DRAWN,),
        weights: Sequence[float] | None = None,
        most_faces: int = 6,
        face_px: Sequence[float] = (12, 180),
        faceless: float = 0.35,
        whole: float = 0.0,
        renew: bool = False,
        pipeline: Sequence[dict | Transform] = (),
        subsets: Sequence[str] | None = None,
    ) -> None:
        super().__init__(pipeline, subsets)
        self.count, self.seed, self.start, self.renew, self.whole = count, seed, start, renew, whole
        self.sources = [Portraits(build_without_pipeline(dataset)) for dataset in faces]
        shares = np.ones(len(faces)) if weights is None else np.array(weights, np.float64)
        if not len(faces) or len(shares) != len(faces):
            raise FacelmkError(
                f'ComposedScenes: weights={weights!r} for {len(faces)} data sets. Give at least one data set as '
                'faces=[...], and one number above 0 for each'
            )
        self.limits = np.cumsum(shares) / shares.sum()
        low, high = (float(side) * size / SCENE_PX for side in face_px)
        self.options = SceneOptions(size, most_faces, (low, high), faceless)

    def __len__(self) -> int:
        return self.count

    def scene(self, index: int) -> SceneRecord:
        return self.scene_in_epoch(0, 0, index)

    def scene_in_epoch(self, seed: int, epoch: int, index: int) -> SceneRecord:
        """Return a scene; with `renew` it depends on the seed and the epoch of the run, too."""
        if not 0 <= index < self.count:
            raise IndexError(f'scene {index} of {self.count}')
        number = self.start + index
        run = (seed, epoch) if self.renew else ()
        rng = np.random.default_rng([self.seed, number, *run])
        if self.whole and rng.random() < self.whole:
            scene = show_picture(self._pick(rng), self.options.size, rng)
        else:
            scene = compose(rng, self._pick, self.options)
        boxes, ignored = scene.finish()
        return dict(id=f'scene/{self.seed}/{number}', path='', image=scene.image, boxes=boxes, ignored=ignored, tags=())

    def _pick(self, rng: np.random.Generator) -> Portrait:
        """Return a random face of a random data set."""
        source = self.sources[int(np.searchsorted(self.limits, rng.random(), 'right').clip(0, len(self.limits) - 1))]
        return source[int(rng.integers(len(source)))]
