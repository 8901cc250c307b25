"""HRNet-landmarks' functions: the original's numbers where they are right, and a test for each of its faults."""

import importlib
import re
from functools import reduce
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

import facelmk
from facelmk import FacelmkError, MissingResource, UnknownName, compat, geometry
from facelmk.checkpoint import Mismatch
from facelmk.compat import hrnet
from facelmk.datasets import SyntheticFaces
from facelmk.inference.runtime import is_available, load_exported
from facelmk.models.backbones import hrnet as layers
from facelmk.registry import CODECS, MODELS

MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
SIZES = {'WFLW': 98, 'AFLW': 19, '300W': 68, 'COFW': 29}


class Brightest(nn.Module):
    """Three heatmaps: how much more red, green and blue each cell of four pixels has; keeps its input as `seen`."""

    def forward(self, image: Tensor) -> Tensor:
        self.seen = image
        light = F.avg_pool2d(image * torch.tensor(STD).view(3, 1, 1) + torch.tensor(MEAN).view(3, 1, 1), 4)
        return (light - 0.5 * (light.sum(1, keepdim=True) - light)).float()


# -- the faults of HRNet-landmarks


def test_pictures_of_opencv_are_taken_as_bgr(photograph) -> None:
    """Taken as RGB, the red spot would be landmarks at the place of the blue one."""
    image, points = photograph()
    network = Brightest()
    assert np.abs(compat.get_lmks_by_img(network, image) - points).max() < 2
    assert np.abs(compat.get_lmks_by_img(network, image[..., ::-1], color='rgb') - points).max() < 2
    plain = np.full((256, 256, 3), (10, 100, 200), np.uint8)  # BGR
    compat.get_lmks_by_img(network, plain)
    expected = (np.array([200, 100, 10]) / 255 - MEAN) / STD
    assert np.allclose(network.seen[0, :, 128, 128], expected, atol=1e-5) and network.seen.dtype == torch.float32
    with pytest.raises(FacelmkError, match="color='gray'"):
        compat.get_lmks_by_img(network, image, color='gray')


def test_no_gpu_is_used(photograph, monkeypatch) -> None:
    """Any call of `.cuda()` would raise here."""

    def refuse(*_: object) -> None:
        raise AssertionError('.cuda() was called')

    monkeypatch.setattr(Tensor, 'cuda', refuse)
    monkeypatch.setattr(nn.Module, 'cuda', refuse)
    assert compat.get_lmks_by_img(Brightest(), photograph()[0]).shape == (3, 2)


@pytest.mark.filterwarnings('error')
def test_pictures_shrink_without_np_math(photograph) -> None:
    """NumPy 2 has no np.math, which the original needs to shrink crops by more than two; NumPy 1.26 warns."""
    image, points = photograph(1600, 1200, 25.0)
    assert np.abs(compat.get_lmks_by_img(Brightest(), image) - points).max() < 10  # five pixels a pixel of the crop
    assert compat.crop(image, torch.tensor([800, 600.0]), 6.25).shape == (256, 256, 3)


def test_fuse_layers_do_not_align_corners() -> None:
    """Between two cells the resized map has a quarter and three quarters; with aligned corners it has thirds."""
    low, high = torch.tensor([[0.0, 1.0], [0.0, 1.0]])[None, None], torch.zeros(1, 1, 4, 4)
    total = layers.Exchange._sum(0, nn.ModuleList([None, nn.Identity()]), [high, low])
    assert torch.allclose(total[0, 0], torch.tensor([0.0, 0.25, 0.75, 1.0]).expand(4, 4))


def test_aligned_corners_make_another_network(models, monkeypatch) -> None:
    model = compat.get_model_by_name('AFLW', models, device='cpu')
    image = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        right = model(image)
        monkeypatch.setattr(
            layers,
            'F',
            SimpleNamespace(
                interpolate=lambda *arguments, **options: F.interpolate(
                    *arguments, **(options | {'align_corners': True})
                )
            ),
        )
        wrong = model(image)
    assert (right - wrong).abs().max() > 0.01 * right.abs().max()


# -- landmarks of a picture


def test_the_crop_around_the_centre() -> None:
    """The crop covers 0.78125 times the longer side: a spot outside is not landmarks."""
    network = Brightest()
    image = np.zeros((300, 400, 3), np.uint8)
    side = 0.78125 * 400
    image[:, round(200 - side / 2) - 3 : round(200 - side / 2) - 1] = 255  # just outside
    compat.get_lmks_by_img(network, image)
    assert network.seen[0].std() == 0 or network.seen[0, :, :, 2:].std(dim=(1, 2)).max() < 1e-6
    image[:, round(200 - side / 2) + 3] = 255
    for size in (256, 128):  # the same square for each size of the crop
        compat.get_lmks_by_img(network, image, (size, size))
        assert network.seen.shape[-1] == size and network.seen[0, :, :, : size // 32].std() > 0.1


def test_a_box_locates_the_face(photograph) -> None:
    image, points = photograph(640, 480)
    box = [points[:, 0].min() - 20, points[:, 1].min() - 20, points[:, 0].max() + 20, points[:, 1].max() + 20]
    landmarks = compat.get_lmks_by_img(Brightest(), image, bbox=box)
    assert np.abs(landmarks - points).max() < 1.5 and landmarks.dtype == np.float32
    with pytest.raises(FacelmkError, match='bbox holds 2 boxes'):
        compat.get_lmks_by_img(Brightest(), image, bbox=[box, box])
    with pytest.raises(FacelmkError, match='x1 < x2'):
        compat.get_lmks_by_img(Brightest(), image, bbox=[50, 50, 40, 90])


@pytest.mark.parametrize('rot', [-30, 45])
def test_a_rotated_crop_finds_the_same_points(photograph, rot) -> None:
    image, points = photograph()
    assert np.abs(compat.get_lmks_by_img(Brightest(), image, rot=rot) - points).max() < 2


def test_fractions_of_pixels_are_kept() -> None:
    """The original truncates to whole pixels and adds one; its result for this map is (93, 123)."""
    maps = torch.zeros(1, 1, 64, 64)
    maps[0, 0, 30, 20], maps[0, 0, 30, 21], maps[0, 0, 29, 20] = 1.0, 0.5, 0.5
    landmarks = compat.get_lmks_by_img(constant_network(maps), np.zeros((256, 256, 3), np.uint8))
    assert np.allclose(landmarks, [[20.75 * 3.125 + 28, 30.25 * 3.125 + 28]])
    assert compat.decode_preds(maps, [torch.tensor([128, 128.0])], [1.0], [64, 64]).tolist() == [[[93, 123]]]


def constant_network(maps: Tensor) -> nn.Module:
    """A network whose output is always these maps."""

    class Constant(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            return maps

    return Constant()


def test_a_face_landmarker_decodes_with_its_own_codec(photograph, config) -> None:
    predictor = facelmk.load(config, pretrained=False, device='cpu')
    image, _ = photograph(256, 256)
    expected = predictor(image, [[10, 20, 210, 190]])[0].landmarks
    for model in (predictor, predictor.landmarker):
        landmarks = compat.get_lmks_by_img(model, image, (64, 64), bbox=[10, 20, 210, 190])
        assert np.abs(landmarks - expected).max() < 1e-3


@pytest.mark.parametrize('rot', [0, 20])
def test_every_predictor_gives_the_landmarks_of_its_faces(rot) -> None:
    """Those of one scheme, also where the network joins two, and with crops of the size that the network knows."""
    face = SyntheticFaces('wflw', 1, size=160).face(0)
    picture, box = face['image'], face['box']
    turn = geometry.about(geometry.rotate(rot), ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2))
    turned = cv2.warpAffine(picture, turn[:2], (160, 160))
    by_name = compat.init_model('facelmk_nano', 'facelmk_nano', device='cpu')
    for markup, K in ((None, 98), ('300w', 68), ('five', 5)):
        predictor = facelmk.load(device='cpu', markup=markup)
        models: list = [predictor] + ([by_name] if markup is None else [])
        if is_available():
            models.append(load_exported('facelmk_nano'))
            models[-1].choose_markup(markup or 'wflw')
        expected = geometry.apply(turn, predictor(picture, [box])[0].landmarks)
        for model in models:
            landmarks = compat.get_lmks_by_img(model, turned, rot=rot, bbox=box)
            assert landmarks.shape == (K, 2) and landmarks.dtype == np.float32
            assert np.abs(landmarks - expected).mean() < (2 if rot else 0.05)  # turned pixels are resampled twice
            five = compat.get_five_landmarks_from_net(landmarks, corrected=True)
            assert compat.alignment_orig(turned, five).shape == (112, 96, 3)
    with pytest.raises(FacelmkError, match='type str'):
        compat.get_lmks_by_img('WFLW', picture)


def test_a_joined_network_alone_gives_its_first_scheme() -> None:
    """The crop has the default size of facelmk_nano here; the network has no config that says it."""
    network = facelmk.load(device='cpu').landmarker
    picture = SyntheticFaces('wflw', 1, size=160).face(0)['image']
    assert compat.get_lmks_by_img(network, picture, (112, 112)).shape == (98, 2)


# -- the original's arithmetic


def test_highest_cells_are_counted_from_one() -> None:
    maps = torch.full((1, 3, 4, 5), -1.0)
    maps[0, 0, 2, 3], maps[0, 1, 0, 0] = 1.0, 2.0
    assert compat.get_preds(maps).tolist() == [[[4, 3], [1, 1], [0, 0]]]  # nothing above 0 gives 0


def decode_slowly(maps: np.ndarray, center: np.ndarray, scale: float) -> np.ndarray:
    """Landmarks (K, 2) of maps (K, 64, 64) in the original's way, point by point, from its specification."""
    landmarks = []
    for one in maps:
        y, x = np.unravel_index(one.argmax(), one.shape)
        place = np.array([x + 1.0, y + 1.0]) if one.max() > 0 else np.zeros(2)
        px, py = place.astype(int)
        if 1 < px < 64 and 1 < py < 64:
            place += 0.25 * np.sign([one[py - 1, px] - one[py - 1, px - 2], one[py, px - 1] - one[py - 2, px - 1]])
        side = 200 * scale
        landmarks.append(np.trunc((place + 0.5 - 1) * side / 64 + center - side / 2) + 1)
    return np.array(landmarks)


def test_decoding_to_whole_pixels_as_the_original() -> None:
    random = np.random.default_rng(0)
    maps = random.normal(size=(2, 98, 64, 64)).astype(np.float32)
    maps[0, 0], maps[0, 1, 0, 0], maps[0, 2, 63, 63], maps[1, 3, 5, 0], maps[1, 4, 63, 7] = -1, 50, 50, 50, 50
    centers, scales = random.uniform(90, 300, (2, 2)), [0.7, 1.9]
    landmarks = compat.decode_preds(torch.from_numpy(maps), [torch.tensor(c) for c in centers], scales, [64.0, 64.0])
    assert landmarks.shape == (2, 98, 2)
    for i in range(2):
        assert (
            landmarks[i].numpy() == decode_slowly(maps[i], centers[i], scales[i])
        ).mean() > 0.99  # rounding at whole numbers
        assert np.abs(landmarks[i].numpy() - decode_slowly(maps[i], centers[i], scales[i])).max() <= 1


def test_decoding_agrees_with_the_codec_of_that_protocol() -> None:
    """HRNetInteger, as the configs hrnet_w18_*_orig use it."""
    maps = torch.randn(2, 29, 64, 64, generator=torch.Generator().manual_seed(5))
    centers, scales = [torch.tensor([130.0, 140.5]), torch.tensor([88.0, 91.0])], [0.9, 1.7]
    codec = CODECS.build(dict(type='HRNetInteger'))
    warps = [compat.get_transform(c, s, [256, 256]) for c, s in zip(centers, scales, strict=True)]
    landmarks = codec.to_photo(codec.decode(maps, 256)[0], torch.from_numpy(np.stack(warps)))
    difference = (compat.decode_preds(maps, centers, scales, [64, 64]) - landmarks).abs()
    assert (difference == 0).float().mean() > 0.99 and difference.max() <= 1


def test_points_to_the_crop_and_back() -> None:
    center, scale = torch.tensor([150.0, 120.0]), 1.3
    there = compat.transform_pixel([100, 90], center, scale, [256, 256])
    assert there.tolist() == [int((99 - 150) * 256 / 260 + 128) + 1, int((89 - 120) * 256 / 260 + 128) + 1]
    assert np.abs(compat.transform_pixel(there, center, scale, [256, 256], invert=1) - [100, 90]).max() <= 2
    points = torch.tensor([[32.5, 30.0]])
    assert compat.transform_preds(points, center, scale, [64, 64]) is points
    assert points.tolist() == [[int(31.5 * 260 / 64 + 20) + 1, int(29 * 260 / 64 - 10) + 1]]


def test_positive_degrees_correct_a_head_that_leans_clockwise() -> None:
    warp = compat.get_transform([50, 60], 0.5, [100, 100], rot=90)
    assert np.allclose(warp @ [50, 60, 1], [50, 50, 1])  # the centre stays in the middle
    assert np.allclose(warp @ [60, 60, 1], [50, 40, 1])  # a point on the right moves up


def test_a_crop_of_whole_pixels_is_the_picture() -> None:
    image = np.arange(40 * 50 * 3, dtype=np.uint16).reshape(40, 50, 3).astype(np.uint8)
    same = compat.crop(image, torch.tensor([25.0, 20.0]), 0.2, (40, 40))  # 40 pixels to 40 pixels
    assert np.array_equal(same, image[:, 5:45])
    assert (compat.crop(image, [0, 0], 0.2, (40, 40))[:20] == 0).all()
    assert (compat.crop(image, [900, 900], 0.2, (40, 40)) == 0).all()  # where the original fails


def pillows(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """The picture as Pillow resizes it without further arguments."""
    return np.array(Image.fromarray(image).resize((width, height)))


@pytest.mark.parametrize('channels', [(), (3,)])
def test_a_crop_is_resized_as_the_original_does(channels: tuple[int, ...]) -> None:
    """A square of whole pixels, made by truncating corners, then Pillow's resize."""
    image = np.random.default_rng(1).integers(0, 256, (300, 400, *channels), np.uint8)
    small = compat.crop(image, torch.tensor([200.0, 150.0]), 1.0, (128, 128))  # 200 pixels, the corners counted from 1
    assert np.array_equal(small, pillows(image[49:249, 99:299], 128, 128))
    large = compat.crop(image, torch.tensor([200.0, 150.0]), 0.25, (128, 128))
    assert np.array_equal(large, pillows(image[125:175, 175:225], 128, 128))


def test_a_picture_that_is_much_too_large_is_shrunk_first() -> None:
    """1200 x 800 pixels, a square of 600: 4 times too large, so the picture becomes 300 x 200 and the square 150."""
    image = np.random.default_rng(2).integers(0, 256, (800, 1200, 3), np.uint8)
    first = pillows(image, 200, 300)
    assert np.array_equal(compat.crop(image, torch.tensor([601.0, 401.0]), 3.0, (150, 150)), first[25:175, 75:225])
    stripes = np.zeros((800, 1200, 3), np.uint8)
    stripes[:, ::2] = 255
    assert np.abs(compat.crop(stripes, [600, 400], 3.0, (150, 150)).astype(int) - 128).max() <= 2
    assert compat.crop(image, [600, 400], 9999.0, (64, 64)).sum() == 0  # nothing of it is left


@pytest.mark.parametrize('degrees', [90, -90, 180])
def test_positive_degrees_turn_a_crop_counter_clockwise(degrees: float) -> None:
    image = np.random.default_rng(3).integers(0, 256, (300, 300), np.uint8)
    turned = compat.crop(image, torch.tensor([150.0, 150.0]), 0.5, (100, 100), degrees)
    assert np.array_equal(turned, np.rot90(image[100:200, 100:200], degrees // 90))


def test_the_readmes_import_lines_need_only_a_package_name() -> None:
    lines = """
from utils_inference import get_lmks_by_img, get_model_by_name, get_preds, decode_preds, crop
from utils_landmarks import show_landmarks, get_five_landmarks_from_net, alignment_orig
"""
    names: dict[str, object] = {}
    exec(lines.replace('from ', 'from facelmk.compat.'), names)
    for name, value in names.items():
        assert name.startswith('__') or value is getattr(compat, name)
    assert len(names) == 9
    for module, functions in {
        'utils_inference': ('get_transform', 'transform_pixel', 'transform_preds'),
        'utils_landmarks': ('set_circles_on_img',),
    }.items():
        assert all(hasattr(importlib.import_module(f'facelmk.compat.{module}'), name) for name in functions)


# -- models by name


def original_keys(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights under the original HRNet's names."""
    rows = ((r'^backbone\.', ''), (r'^head\.conv_layers\.', 'head.'), (r'^head\.final_layer\.', 'head.3.'))
    return {reduce(lambda name, row: re.sub(*row, name), rows, key): value for key, value in state.items()}


def network(markup: str, width: int = 18) -> nn.Module:
    torch.manual_seed(1)
    model = MODELS.build(
        dict(
            type='facelmk.FaceLandmarker',
            backbone=dict(type='HRNet', width=width),
            head=dict(type='HeatmapHead', convs=1),
            codec=dict(type='Heatmap', centre='cell', aligned=False),
            loss=dict(type='HeatmapMSELoss'),
            markup=markup,
        )
    )
    for parameter in model.parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5)
    return model


@pytest.fixture(scope='module')
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with HR18-AFLW.pth, with the prefix `module.`, and HR18-WFLW.pth, both with the original's names."""
    folder = tmp_path_factory.mktemp('hrnetv2 models')
    for name, prefix in (('AFLW', 'module.'), ('WFLW', '')):
        state = original_keys(network(name.lower()).state_dict())
        torch.save({prefix + key: value for key, value in state.items()}, folder / f'HR18-{name}.pth')
    return folder


@pytest.mark.parametrize('name', ['AFLW', 'WFLW'])
def test_models_by_name(photograph, models, name) -> None:
    model = compat.get_model_by_name(name, models, device='cpu')
    expected, own = network(name.lower()).state_dict(), model.landmarker.state_dict()
    assert own.keys() == expected.keys() and all(torch.equal(own[key], expected[key]) for key in own)
    assert not model.training
    with torch.no_grad():
        assert model(torch.zeros(2, 3, 64, 64)).shape == (2, SIZES[name], 16, 16)
    assert compat.get_lmks_by_img(model, photograph()[0], (64, 64)).shape == (SIZES[name], 2)


def test_a_yaml_beside_the_weights_describes_the_network(models, tmp_path) -> None:
    torch.save(original_keys(network('cofw').state_dict()), tmp_path / 'net-mine.pth')
    with pytest.raises(UnknownName, match="'mine'.*net-mine.yaml"):
        compat.get_model_by_name('mine', tmp_path, prefix='net-', device='cpu')
    (tmp_path / 'net-mine.yaml').write_text('MODEL:\n  NUM_JOINTS: 29\n  IMAGE_SIZE: [256, 256]\n')
    model = compat.get_model_by_name('mine', tmp_path, prefix='net-', device='cpu')
    assert model.landmarker.markup.name == 'cofw'
    for name in SIZES:
        assert hrnet._network(name, tmp_path / 'none.yaml') == (name.lower(), 18)


def test_a_missing_file_is_reported_with_its_folder(models, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingResource) as caught:
        compat.get_model_by_name('COFW', device='cpu')
    assert str(tmp_path / 'hrnetv2_models' / 'HR18-COFW.pth') in str(caught.value)
    assert 'root_models_path=' in str(caught.value)
    with pytest.raises(MissingResource, match=r"HR18-COFW.pth.*'HR18-AFLW.pth', 'HR18-WFLW.pth'"):
        compat.get_model_by_name('COFW', models, device='cpu')
    with pytest.raises(UnknownName, match="Did you mean 'WFLW'"):
        compat.get_model_by_name('WFLV', models)
    with pytest.raises(FacelmkError, match="model_type='imagenet'"):
        compat.get_model_by_name('WFLW', models, model_type='imagenet')


@pytest.mark.parametrize('name', ['WFLW', '300W'])
def test_without_a_file_the_shipped_model_is_used_with_a_warning(name, tmp_path, monkeypatch) -> None:
    """Its heatmaps suit the functions of the original: exact points, and points within a quarter of a cell."""
    monkeypatch.chdir(tmp_path)
    with pytest.warns(UserWarning, match=f'HR18-{name}.pth.*not the weights of HRNet-landmarks') as caught:
        model = compat.get_model_by_name(name, device='cpu')
    assert len(caught) == 1 and '\n' not in str(caught[0].message)
    face = SyntheticFaces('wflw', 1, size=160).face(0)
    box, picture = face['box'], face['image']
    (expected,) = facelmk.load(device='cpu', markup=name.lower())(picture, [box])
    landmarks = compat.get_lmks_by_img(model, picture, bbox=box)
    side = max(box[2] - box[0], box[3] - box[1])
    assert landmarks.shape == (SIZES[name], 2) and landmarks.dtype == np.float32
    assert np.abs(landmarks - expected.landmarks).mean() < 0.01 * side  # the crops are resampled differently

    maps = compat.get_lmks_by_img(Heatmaps(model), picture, bbox=box)
    assert np.abs(maps - landmarks).max() < 0.26 * 1.25 * side / 64 + 1e-3
    with torch.no_grad():
        assert model(torch.zeros(2, 3, 256, 256)).shape == (2, SIZES[name], 64, 64)


class Heatmaps(nn.Module):
    """A network that is known by its heatmaps alone."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> Tensor:
        return self.model(image)


def test_weights_of_another_scheme_do_not_fit(models, tmp_path) -> None:
    (tmp_path / 'HR18-300W.pth').write_bytes((models / 'HR18-AFLW.pth').read_bytes())
    with pytest.raises(Mismatch, match=r'head.final_layer.bias \(19,\), here \(68,\)'):
        compat.get_model_by_name('300W', tmp_path, device='cpu')


@pytest.mark.skipif(torch.cuda.is_available(), reason='there is a GPU')
def test_without_a_gpu_the_cpu_is_used_with_a_warning(models, config) -> None:
    with pytest.warns(UserWarning, match="device='cuda'"):
        model = compat.get_model_by_name('AFLW', models)
    assert next(model.parameters()).device.type == 'cpu'
    with pytest.warns(UserWarning, match="device='cuda:0'"):
        compat.init_model(config)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='there is no GPU')
def test_on_a_gpu_the_same_landmarks(photograph, models) -> None:
    image, _ = photograph()
    landmarks = [
        compat.get_lmks_by_img(compat.get_model_by_name('AFLW', models, device=device), image)
        for device in ('cpu', 'cuda')
    ]
    assert (np.abs(landmarks[0] - landmarks[1]).max(-1) < 1e-3).mean() > 0.8
