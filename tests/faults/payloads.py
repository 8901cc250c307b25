"""Twelve files that write a canary if a reader runs what is in them, and the readers that are given each of them."""

import io
import itertools
import json
import os
import pickle
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import json_tricks
import numpy as np
import pytest
import torch
import yaml
from mmengine import Config
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.runner.checkpoint import CheckpointLoader
from scipy.io import loadmat, savemat
from scipy.io.matlab import MatlabObject
from torch import Tensor, nn

from facelmk.checkpoint import load_checkpoint, load_pretrained, publish, read_checkpoint
from facelmk.cli import main
from facelmk.config import load_config
from facelmk.datasets import CocoFaces, CofwMat, SyntheticFaces
from facelmk.engine.saving.newest import newest_checkpoint
from facelmk.errors import FacelmkError

from . import annotations as made
from .loopback import Answer, serving

Reader = Callable[[], object]
NUMBER = itertools.count()


class Calls:
    """Calls a function when an ordinary reader unpickles it."""

    def __init__(self, call: Callable[..., object], *given: object) -> None:
        self.call, self.given = call, given

    def __reduce__(self) -> tuple:
        return self.call, self.given


def write_canary(path: str) -> None:
    """Write a file: what a payload does when it runs."""
    Path(path).write_text('fired')


class Case(NamedTuple):
    """The readers that get a file, and the control: an ordinary reader, which runs its code."""

    readers: list[Reader]
    control: Reader


class Stage(NamedTuple):
    """A folder for a payload, the file that it would write, what unpickling would call, the state of a run."""

    folder: Path
    canary: Path
    evil: Calls
    state: dict[str, Any]


class Toy(BaseModel):
    """Learns one number."""

    def __init__(self) -> None:
        super().__init__()
        self.number = nn.Parameter(torch.zeros(1))

    def forward(self, inputs: Tensor, data_samples: Any = None, mode: str = 'tensor') -> dict[str, Tensor]:
        return {'loss': (self.number - inputs).square().mean()}


def train(folder: Path, epochs: int, resume: Path | str | None = None) -> Runner:
    """Train the toy, as `facelmk train --resume FILE` trains a landmark network."""
    loader = dict(
        dataset=[dict(inputs=torch.ones(1))] * 2,
        batch_size=2,
        collate_fn=dict(type='default_collate'),
        sampler=dict(type='DefaultSampler', shuffle=False),
    )
    runner = Runner(
        Toy(),
        str(folder),
        train_dataloader=loader,
        train_cfg=dict(type='EpochLoop', max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='Adam', lr=0.1)),
        default_scope='facelmk',
        log_level='ERROR',
        default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=1)),
        randomness=dict(seed=1),
        experiment_name=f'canary{next(NUMBER)}',
        resume=resume is not None,
        load_from=resume and str(resume),
    )
    runner.train()
    return runner


def checkpoint_readers(source: Path | str, control: Reader, folder: Path) -> Case:
    """All readers of checkpoints, the Runner's resume among them."""
    return Case(
        [
            lambda: load_checkpoint(Toy(), source),
            lambda: load_pretrained(Toy(), source),
            lambda: read_checkpoint(source),
            lambda: CheckpointLoader.load_checkpoint(str(source)),
            lambda: publish(source, folder / 'published'),
            lambda: train(folder / f'resumed{next(NUMBER)}', 2, source),
        ],
        control,
    )


def saved(stage: Stage, **poison: Any) -> Case:
    """The state of a run with something else in it."""
    path = stage.folder / 'epoch_1.pth'
    torch.save(stage.state | poison, path)
    found = checkpoint_readers(path, lambda: torch.load(path, weights_only=False), stage.folder)
    return found._replace(readers=[*found.readers, lambda: newest_checkpoint(stage.folder)])


def in_a_local_file(stage: Stage) -> Case:
    return saved(stage, more=stage.evil)


def from_a_url(stage: Stage) -> Iterator[Case]:
    file = io.BytesIO()
    torch.save(stage.state | {'more': stage.evil}, file)

    def answer(request: Answer) -> None:
        request.head(200, len(file.getvalue()))
        request.wfile.write(file.getvalue())

    with serving(answer) as server:
        yield checkpoint_readers(
            f'{server.address}/x.pth', lambda: torch.load(io.BytesIO(file.getvalue()), weights_only=False), stage.folder
        )
        assert server.asked


def in_averaged_weights(stage: Stage) -> Case:
    return saved(stage, ema_state_dict={'number': torch.ones(1), 'more': stage.evil})


def in_the_optimizer(stage: Stage) -> Case:
    optimizer = stage.state['optimizer']
    return saved(stage, optimizer=optimizer | {'state': {0: optimizer['state'][0] | {'more': stage.evil}}})


def in_the_config_of_a_checkpoint(stage: Stage) -> Case:
    text = f'open({str(stage.canary)!r}, "w").close()'
    found = saved(stage, meta=stage.state['meta'] | {'config': text})
    return found._replace(control=lambda: Config.fromstring(text, '.py'))


def as_imports_of_a_checkpoint(stage: Stage) -> Case:
    text = f"custom_imports = dict(imports=['{module(stage)}'])"
    found = saved(stage, meta=stage.state['meta'] | {'config': text})
    return found._replace(control=lambda: Config.fromstring(text, '.py'))


def as_a_class_in_json(stage: Stage) -> Case:
    marker = {'__instance_type__': [module(stage), 'X'], 'attributes': {}}
    rows = made.content() | marker
    for part in ('images', 'annotations', 'categories'):
        rows[part][0] |= marker
    sound = made.write_json(stage.folder / 'a.json', rows)
    rows['annotations'][1]['keypoints'][0] = rows['images'][1]['id'] = marker
    spoilt = made.write_json(stage.folder / 'b.json', rows)
    return Case(
        [lambda: list(CocoFaces(sound, markup='five').faces), lambda: CocoFaces(spoilt, markup='five')],
        lambda: json_tricks.loads(json.dumps(marker)),
    )


def as_a_tag_in_yaml(stage: Stage) -> Case:
    tag = f'!!python/object/apply:os.system ["touch {stage.canary}"]'
    hrnets, ours, base = (stage.folder / name for name in ('hrnet.yaml', 'ours.yml', 'base.yaml'))
    hrnets.write_text(f'DATASET:\n  DATASET: WFLW\n  ROOT: {tag}\n')
    ours.write_text(f'model: {tag}\n')
    base.write_text('_base_: ours.yml\n')
    readers: list[Reader] = [lambda: raise_for(main(['train', '--cfg', str(hrnets)]))]
    for file, safe in itertools.product((hrnets, ours, base), (False, True)):
        readers.append(lambda file=file, safe=safe: load_config(file, safe=safe))
    return Case(readers, lambda: yaml.unsafe_load(ours.read_text()))


def in_numpys_arrays(stage: Stage) -> Case:
    """facelmk keeps drawn faces as .npy; an archive of such arrays is no checkpoint."""
    path, cache = stage.folder / 'x.npz', stage.folder / 'cache'
    array = np.array([stage.evil], object)
    np.savez(path, state_dict=array)
    place = SyntheticFaces('cofw', 1, size=32, cache=str(cache), workers=1).cache
    np.save(place / 'landmarks.npy', array, allow_pickle=True)

    def cached() -> None:
        with pytest.raises(ValueError, match='Python objects'):
            SyntheticFaces('cofw', 1, size=32, cache=str(cache))[0]

    found = checkpoint_readers(path, lambda: np.load(path, allow_pickle=True)['state_dict'], stage.folder)
    return found._replace(readers=[*found.readers, cached])


def in_matlabs_files(stage: Stage) -> Case:
    """Objects, function handles and opaque values of version 5; pickles beside and in the tables of version 7.3."""
    code = np.frombuffer(pickle.dumps(stage.evil), np.uint8)
    thing = MatlabObject(np.array([[(code,)]], [('state', 'O')]), 'numpy.ndarray')
    sound, spoilt = made.write_mat7(stage.folder / 'new.mat'), made.write_mat7(stage.folder / 'more.mat')
    with h5py.File(sound, 'a') as content:
        for place in (content, content['phisT'], content['IsT']):
            place.attrs['pickle'] = place.attrs['MATLAB_class'] = np.void(code.tobytes())
    with h5py.File(spoilt, 'a') as content:
        del content['phisT']
        content['phisT'] = np.array([np.void(code.tobytes())])
    files = [sound, spoilt]
    for kind, name in itertools.product((3, 16, 17), ('phisT', 'IsT')):  # an object, a function, an opaque value
        files.append(stage.folder / f'{name}{kind}.mat')
        savemat(files[-1], made.cofw() | {'IsT': np.zeros(2)} | {name: thing})
        content = bytearray(files[-1].read_bytes())
        content[content.index(bytes([3, 0, 0, 0, 0, 0, 0, 0]), 128)] = kind  # savemat writes objects alone
        files[-1].write_bytes(content)
    assert len(CofwMat(sound, markup='cofw')) == 2  # nothing else is wrong with it
    readers: list[Reader] = [lambda file=file: CofwMat(file, markup='cofw')[0] for file in files]

    def control() -> None:
        with h5py.File(sound) as content:
            assert content['phisT'].attrs['pickle'].tobytes() == code.tobytes()
        pickle.loads(loadmat(stage.folder / 'phisT3.mat')['phisT'][0, 0]['state'].tobytes())

    return Case(readers, control)


def in_a_zip(stage: Stage) -> Case:
    """A checkpoint's pickle among torch's own entries, and an entry that leads out of the folder."""
    archive, below = stage.folder / 'x.zip', stage.folder / 'a' / 'b'
    with zipfile.ZipFile(archive, 'w') as file:
        for name, content in (('data.pkl', pickle.dumps(stage.evil, 2)), ('version', b'3\n'), ('byteorder', b'little')):
            file.writestr(f'x/{name}', content)
        file.writestr(os.path.relpath(stage.canary, below), b'fired')

    def control() -> None:
        below.mkdir(parents=True)
        with zipfile.ZipFile(archive) as file:
            (below / file.namelist()[-1]).write_bytes(file.read(file.namelist()[-1]))

    return checkpoint_readers(archive, control, stage.folder)


def in_a_tar(stage: Stage) -> Case:
    """The tar that torch once wrote, with its pickle, and a link that leads out with an entry behind it."""
    archive, below = stage.folder / 'old.pth', stage.folder / 'below'
    with tarfile.open(archive, 'w') as file:
        for name in ('storages', 'tensors', 'pickle'):
            add(file, name, pickle.dumps(stage.evil, 2))
        link = tarfile.TarInfo('link')
        link.type, link.linkname = tarfile.SYMTYPE, str(stage.canary.parent)
        file.addfile(link)
        add(file, f'link/{stage.canary.name}', b'fired')

    def control() -> None:
        with tarfile.open(archive) as file:
            file.extraction_filter = getattr(tarfile, 'fully_trusted_filter', None)  # of Python 3.11.4 and later
            file.extractall(below)

    return checkpoint_readers(archive, control, stage.folder)


def add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    """Put a file into a tar."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def module(stage: Stage) -> str:
    """The name of a module, along sys.path, whose import writes the canary."""
    name = f'evil{next(NUMBER)}'
    (stage.folder / f'{name}.py').write_text(f'open({str(stage.canary)!r}, "w").close()\n\n\nclass X:\n    pass\n')
    return name


def raise_for(code: int) -> None:
    """Turn the exit code of a verb into the error that a function raises."""
    if code:
        raise FacelmkError(str(code))


# fmt: off
PAYLOADS = {
    in_a_local_file: ('D01',), from_a_url: ('D02',), in_averaged_weights: ('D03',), in_the_optimizer: ('D04',),
    in_the_config_of_a_checkpoint: ('D05',), as_imports_of_a_checkpoint: ('D05',), as_a_class_in_json: ('C33',),
    as_a_tag_in_yaml: (), in_numpys_arrays: (), in_matlabs_files: (), in_a_zip: (), in_a_tar: ()}
# fmt: on
