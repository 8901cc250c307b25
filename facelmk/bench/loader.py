"""Loading: from picture files to batches, with and without a crop cache, in a process as a loader worker is one."""

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from torch.utils.data import default_collate

from ..config import load_config
from ..datasets import FaceDataset, collate_faces
from ..datasets.crops.build import CropCacheBuilder
from ..datasets.crops.index import About
from ..files.allocator import reuse_freed_memory
from .baseline import loader as baseline
from .photographs import Photograph, write_photographs
from .processes import compare_in_processes
from .row import Amount, Options, Row, not_measured

BATCH = 32
NOTE = 'batches stacked; MMPose also makes the heatmaps here, facelmk on the device'


class Photographed(FaceDataset):
    """The faces of the benchmark's photographs."""

    def __init__(self, photographs: list[Photograph], **load: Any) -> None:
        read, crop, pack = load_config('hrnetv2_w18_wflw').train_dataloader.dataset.pipeline
        super().__init__('wflw', [dict(read, **load), dict(crop), dict(pack)])
        self.photographs = photographs

    def __len__(self) -> int:
        return len(self.photographs)

    def face(self, index: int) -> dict[str, Any]:
        path, box, landmarks = self.photographs[index]
        visible = landmarks[:, 0] * 0 + 1
        return dict(id=path, path=path, box=box, landmarks=landmarks, visible=visible, norm=None, tags=())


def rows(options: Options) -> Iterator[Row]:
    """Uncached and cached pictures beside MMPose's pipeline, and uncached ones beside albumentations."""
    count = 32 if options.quick else 128
    with tempfile.TemporaryDirectory(prefix='facelmk-bench-') as name:
        folder = Path(name)
        photographs = write_photographs(folder, count)
        peer, peer_name = _mmpose(photographs)
        measured = partial(compare_in_processes, items=count, seconds=options.seconds)
        plain = Photographed(photographs)
        yield measured('load, pictures 1024 x 768', _ours(plain), peer, peer_name, NOTE)
        sizes = {}
        for kind, what in (('packed', 'lossless crop cache, packed'), ('raw', 'lossless crop cache, raw')):
            builder = CropCacheBuilder(folder / kind, plain, [plain.pipeline], About(kind))
            sizes[kind] = builder.build(say=lambda _: None).bytes / count
            cached = Photographed(photographs, crop_cache=folder / kind)
            yield measured(f'load, {what}', _ours(cached), peer, peer_name, NOTE)
        picture = sum(Path(one.path).stat().st_size for one in photographs) / count
        for kind, size in sizes.items():
            yield Row(f'crop cache, {kind}, a face', Amount(size, 'B'), Amount(picture, 'B'), 'its picture file')
        yield _albumentations(_ours(plain), photographs, measured)


def _ours(dataset: FaceDataset) -> Callable[[], None]:
    """Return a function that loads the next epoch."""
    epoch = 0

    def load() -> None:
        nonlocal epoch
        epoch += 1
        reuse_freed_memory()  # as the engine's workers do
        for low in range(0, len(dataset), BATCH):
            collate_faces([dataset[0, epoch, i] for i in range(low, min(low + BATCH, len(dataset)))])

    return load


def _peer(dataset: Any, stack: Callable[[list[Any]], Any]) -> Callable[[], None]:
    """Return a function that loads all samples and stacks their batches."""

    def load() -> None:
        for low in range(0, len(dataset), BATCH):
            stack([dataset[i] for i in range(low, min(low + BATCH, len(dataset)))])

    return load


def _mmpose(photographs: list[Photograph]) -> tuple[Callable[[], None], str]:
    """Return MMPose's own pipeline where it is installed, otherwise the plain code that does the same."""
    if find_spec('mmpose'):
        return _peer(baseline.MMPosePipeline(photographs), baseline.stack_mmpose), f'MMPose {version("mmpose")}'
    return _peer(baseline.PlainPipeline(photographs), baseline.stack), 'MMPose-style code'


def _albumentations(ours: Callable[[], None], photographs: list[Photograph], measured: Callable[..., Row]) -> Row:
    quantity = 'load, pictures 1024 x 768, without targets'
    if not find_spec('albumentations'):
        return not_measured(quantity, 'albumentations is not installed')
    peer = _peer(baseline.AlbumentationsPipeline(photographs), default_collate)
    name = f'albumentations {version("albumentations")} and OpenCV'
    return measured(quantity, ours, peer, name, 'batches stacked')
