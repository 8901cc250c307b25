"""Repeatability: the same result again, and in another way, within the limits that each test states."""

import copy
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmengine.runner import Runner, set_random_seed
from torch import Tensor, nn

from facelmk import geometry
from facelmk.checkpoint import load_checkpoint, publish, save_checkpoint
from facelmk.config import load_config
from facelmk.inference import Predictor
from facelmk.markups import MARKUPS
from facelmk.registry import CODECS, MODELS

fault = pytest.mark.fault
FACES, BATCH, SIDE = 10, 4, 64
SIZE = 256


@pytest.fixture(scope='module')
def settings(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The quick start with ten faces of 64 pixels, drawn once."""
    loader = 'train_dataloader'
    return load_config(
        'quickstart',
        {
            f'{loader}.dataset.count': FACES,
            f'{loader}.dataset.cache': str(tmp_path_factory.mktemp('drawn')),
            f'{loader}.dataset.size': SIDE,
            f'{loader}.dataset.pipeline.1.size': SIDE,
            f'{loader}.batch_size': BATCH,
            f'{loader}.num_workers': 0,
        },
    )


def loader(settings: Config, seed: int, workers: int = 0) -> torch.utils.data.DataLoader:
    """The data loader of a run, as the Runner builds it."""
    config = copy.deepcopy(settings.train_dataloader)
    config.num_workers, config.persistent_workers = workers, workers > 0
    with DefaultScope.overwrite_default_scope('facelmk'):
        return Runner.build_dataloader(config, seed=seed)


def trained(settings: Config, seed: int) -> dict[str, Tensor]:
    """The weights after two epochs from a seed."""
    set_random_seed(seed)
    model = MODELS.build(settings.model).train()
    with DefaultScope.overwrite_default_scope('facelmk'):
        wrapper = build_optim_wrapper(model, copy.deepcopy(settings.optim_wrapper))
    batches = loader(settings, seed)
    for epoch in range(2):
        batches.sampler.set_epoch(epoch)
        for batch in batches:
            model.train_step(batch, wrapper)
    return model.state_dict()


@fault('K01', 'K02')
def test_a_seed_determines_the_weights(settings: Config) -> None:
    first, again, other = trained(settings, 1), trained(settings, 1), trained(settings, 2)
    assert all(torch.equal(first[key], again[key]) for key in first)
    changed = [key for key in first if first[key].is_floating_point() and not torch.equal(first[key], other[key])]
    assert len(changed) > 0.9 * sum(value.is_floating_point() for value in first.values())


@fault('K03')
def test_workers_change_no_batch(settings: Config) -> None:
    """Ids, pixels and points of two epochs, bit for bit."""
    streams = []
    for workers in (0, 1, 2):
        batches, stream = loader(settings, 5, workers), []
        for epoch in range(2):
            batches.sampler.set_epoch(epoch)
            stream += [
                (
                    batch['data_samples']['id'],
                    batch['inputs'].numpy().tobytes(),
                    batch['data_samples']['points'].numpy().tobytes(),
                )
                for batch in batches
            ]
        streams.append(stream)
    assert streams[0] == streams[1] == streams[2]
    assert len(streams[0]) == len(set(map(str, streams[0]))) == 2 * -(-FACES // BATCH)


@fault('K04')
def test_batches_of_one_and_of_sixteen(predictor: Predictor) -> None:
    """Landmarks within 1e-3 px: convolutions round differently for other batch sizes."""
    draw = np.random.default_rng(0)
    image = draw.integers(0, 256, (200, 220, 3), np.uint8)
    boxes = [[x, y, x + side, y + side] for x, y, side in draw.uniform(20, 120, (16, 3))]
    together, alone = (
        np.stack([face.landmarks for face in predictor(image, boxes, batch_size=size)]) for size in (16, 1)
    )
    assert np.abs(together - alone).max() < 1e-3
    assert np.ptp(alone, 0).max() > 5  # the network does not predict the same for every box


def build(name: str) -> nn.Module:
    """A codec with default arguments."""
    return CODECS.build(dict(type=name, **({'markup': 'wflw'} if name == 'Boundary' else {})))


def output_of(name: str, codec: nn.Module) -> Tensor:
    """An output of the codec's shape, of random numbers."""
    K, bins = codec.channels(98, SIZE), codec.bins(SIZE)
    shape = (2, K, 2, bins) if bins else {'Coordinates': (2, K, 2), 'RLE': (2, K, 4)}.get(name, (2, K, 64, 64))
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


@fault('K05')
@pytest.mark.parametrize('name', CODECS)
def test_an_output_mirrored_twice_is_unchanged(name: str) -> None:
    """Bit for bit; coordinates within 1e-4 px, because they are subtracted from the crop's side."""
    codec, mirror = build(name), torch.from_numpy(MARKUPS['wflw'].mirror)
    output = output_of(name, codec)
    once = codec.flip(output, mirror, SIZE)
    limit = 1e-4 / SIZE if name in ('Coordinates', 'RLE') else 0.0
    assert not torch.equal(once, output)
    assert (codec.flip(once, mirror, SIZE) - output).abs().max() <= limit


@fault('K07')
@pytest.mark.parametrize('name', CODECS)
def test_to_photo_is_the_inverse_of_the_crop(name: str) -> None:
    """Within 1e-3 px of a photograph of 4,000 pixels, for float32 points.

    HRNetInteger rounds towards zero and adds 1, as the original does: its result is up to one pixel larger.
    """
    draw = np.random.default_rng(2)
    codec = build(name)
    for _ in range(50):
        x, y, side, degrees = draw.uniform((0, 0, 30, -180), (3000, 3000, 900, 180))
        warp = geometry.box_to_crop([x, y, x + side, y + side], SIZE, 1.25, degrees)
        landmarks = draw.uniform((x, y), (x + side, y + side), (98, 2))
        points = torch.from_numpy(geometry.apply(warp, landmarks).astype(np.float32))
        predicted = codec.to_photo(points[None], torch.from_numpy(warp)[None])[0]
        error, extra = predicted.numpy() - landmarks, 1.0 if name == 'HRNetInteger' else 0.0
        assert error.min() > -1e-3 and error.max() < extra + 1e-3


def evaluation_model(settings: Config, side: int = SIDE) -> tuple[nn.Module, Tensor]:
    """The quick start's network in evaluation mode, with BatchNorm statistics of one batch, and crops."""
    torch.manual_seed(0)
    model, image = MODELS.build(settings.model), torch.randn(2, 3, side, side)
    with torch.no_grad():
        model.train()(image)
    return model.eval(), image


@fault('K08')
def test_bfloat16_is_near_float32(predictor: Predictor) -> None:
    """The mean change of the landmarks is less than 1 px of a crop of 256."""
    image = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    float32 = predictor(image, 'full')[0].landmarks
    with torch.autocast('cpu', torch.bfloat16):
        bfloat16 = predictor(image, 'full')[0].landmarks
    change = np.linalg.norm(bfloat16 - float32, axis=-1).mean()
    assert 0 < change < 1


@fault('K09')
@pytest.mark.slow
def test_onnxruntime_gives_the_same_output(settings: Config, tmp_path: Path) -> None:
    """Within 1e-4 of the largest output."""
    runtime = pytest.importorskip('onnxruntime')
    pytest.importorskip('onnxscript')
    model, image = evaluation_model(settings)
    torch.onnx.export(model, (image,), tmp_path / 'x.onnx', dynamo=True, verbose=False)
    session = runtime.InferenceSession(tmp_path / 'x.onnx', providers=['CPUExecutionProvider'])
    output = torch.from_numpy(session.run(None, {session.get_inputs()[0].name: image.numpy()})[-1])
    with torch.no_grad():
        expected = model(image)[-1]
    assert (output - expected).abs().max() <= 1e-4 * expected.abs().max()


@fault('K10')
@pytest.mark.slow
def test_a_compiled_network_gives_the_same_output(settings: Config) -> None:
    """Within 1e-4 of the largest output."""
    if shutil.which('c++') is None and shutil.which('g++') is None:
        pytest.skip('torch.compile needs a C++ compiler on the CPU')
    model, image = evaluation_model(settings)
    with torch.no_grad():
        expected, output = model(image)[-1], torch.compile(model)(image)[-1]
    assert (output - expected).abs().max() <= 1e-4 * expected.abs().max()


@fault('K11')
def test_a_loaded_network_gives_the_same_output(settings: Config, tmp_path: Path) -> None:
    """Bit for bit, and different from before loading."""
    model, image = evaluation_model(settings)
    torch.manual_seed(9)
    other = MODELS.build(settings.model).eval()
    save_checkpoint({'state_dict': model.state_dict()}, tmp_path / 'saved.pth')
    with torch.no_grad():
        before = other(image)[-1]
        load_checkpoint(other, tmp_path / 'saved.pth')
        assert torch.equal(other(image)[-1], model(image)[-1]) and not torch.equal(before, model(image)[-1])


@fault('K12')
def test_two_exports_have_the_same_bytes(settings: Config, tmp_path: Path) -> None:
    """The published file, and torch's exported graph."""
    model, image = evaluation_model(settings)
    save_checkpoint({'state_dict': model.state_dict()}, tmp_path / 'saved.pth')
    digests = []
    for folder in (tmp_path / 'one', tmp_path / 'two'):
        folder.mkdir()
        published = publish(tmp_path / 'saved.pth', folder / 'out.pth')
        torch.export.save(torch.export.export(model, (image,)), folder / 'graph.pt2')
        digests.append(
            [hashlib.sha256(path.read_bytes()).hexdigest() for path in (Path(published), folder / 'graph.pt2')]
        )
    assert digests[0] == digests[1]
