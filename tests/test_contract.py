"""The public names that users and downstream projects rely on: they exist, with their arguments and results."""

import importlib
import inspect
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from mmengine import Config
from torch import nn

import facelmk
from facelmk import registry
from facelmk.checkpoint import load_checkpoint
from facelmk.config import config_folder, config_names
from facelmk.faces import Face, Faces
from facelmk.markups import MARKUPS

CONFIGS = [
    'deeppose_r50_wflw',
    'deeppose_r50_wflw_wing',
    'deeppose_r50_wflw_softwing',
    *(f'hrnetv2_w18_{data}' for data in ('wflw', '300w', 'cofw', 'aflw', '300wlp')),
    'hrnetv2_w18_wflw_dark',
    'hrnetv2_w18_aflw_dark',
    'hrnetv2_w18_wflw_awing',
    *(f'awing_hg4_{data}' for data in ('300w', 'wflw', 'cofw', 'aflw')),
    *(f'{name}_coco_wholebody_face' for name in ('hrnetv2_w18', 'res50', 'scnet50', 'mobilenetv2', 'hourglass52')),
    'hrnetv2_w18_coco_wholebody_face_dark',
    *(f'rtmpose_{size}_face6' for size in 'tsm'),
    *(f'rtmpose_m_{data}' for data in ('wflw', 'lapa', 'coco_wholebody_face')),
    *(f'hrnet_w18_{data}_orig' for data in ('wflw', '300w', 'cofw', 'aflw')),
    'awing_hg1_wflw',
    'unet_wflw_awing',
    'dla34_wflw_awing',
    'hrnetv2_w18_wflw_focal',
    'hrnetv2_w18_wflw_awing_integral',
]
# fmt: off
REGISTRIES = {
    'BACKBONES': ('HRNet', 'ResNet', 'StackedHourglass', 'Hourglass', 'MobileNetV2', 'SCNet', 'CSPNeXt', 'UNet', 'DLA',
                  'TimmBackbone', 'SceneNet'),
    'HEADS': ('HeatmapHead', 'RegressionHead', 'RTMCCHead', 'StackHead', 'HourglassHead', 'BoxHead'),
    'LOSSES': ('WingLoss', 'SoftWingLoss', 'SmoothL1Loss', 'AdaptiveWingLoss', 'HeatmapMSELoss', 'FocalHeatmapLoss',
               'KLDiscretLoss', 'OHKMLoss', 'IntegralLoss', 'BoxMapsLoss', 'STARLoss'),
    'CODECS': ('Heatmap', 'Coordinates', 'Boundary', 'SimCC', 'Integral', 'UDP', 'Megvii', 'HRNetInteger',
               'BoxMaps'),
    'DATASETS': ('SyntheticFaces', 'JoinedFaces', 'RepeatedFaces', 'LapaTxt', 'Mat300WLP'),
    'TRANSFORMS': ('LoadImage', 'CropFace', 'PackFace', 'HalfBody', 'CoarseDropout', 'Blur', 'MedianBlur', 'HSV',
                   'Photometric'),
    'METRICS': ('NME', 'FailureRate', 'AUC', 'BoxRecall'),
    'MODELS': ('FaceLandmarker', 'FaceDetector', 'ExpMomentumEMA'),
    'HOOKS': ('SwitchPipeline',)}
# fmt: on
SIGNATURES = {  # keyword arguments with their defaults
    'facelmk.load': dict(weights=None, device=None),
    'facelmk.faces.Face.align': dict(size=112),
    'facelmk.checkpoint.load_checkpoint': dict(strict=True),
    'facelmk.codecs.Heatmap': dict(sigma=2, refine='quarter', centre='exact', kernel=11, aligned=True),
    'facelmk.codecs.Coordinates': dict(flip='exact'),
    'facelmk.models.losses.WingLoss': dict(scale=1.0),
    'facelmk.metrics.NME': dict(norm='inter_ocular'),
    'facelmk.models.FaceLandmarker': dict(flip_test=False, size=256),
    'facelmk.compat.get_model_by_name': dict(
        root_models_path='hrnetv2_models', prefix='HR18-', model_type='landmarks', device='cuda'
    ),
    'facelmk.compat.get_lmks_by_img': dict(output_size=(256, 256), rot=0, bbox=None),
    'facelmk.compat.crop': dict(rot=0),
    'facelmk.compat.show_landmarks': dict(circle_size=3, color=(255, 0, 0), figsize=(10, 8), is_copy=True),
    'facelmk.compat.set_circles_on_img': dict(circle_size=5, is_copy=False),
    'facelmk.compat.alignment_orig': dict(ncols=96, nrows=112, custom_align=None),
}
POSITIONAL = {  # the names of positional arguments, in their order
    'facelmk.load': ('model', 'weights', 'device'),
    'facelmk.checkpoint.load_checkpoint': ('module', 'source', 'strict'),
    'facelmk.compat.get_model_by_name': ('model_name',),
    'facelmk.compat.get_lmks_by_img': ('model', 'img'),
    'facelmk.compat.get_preds': ('scores',),
    'facelmk.compat.decode_preds': ('output', 'center', 'scale', 'res'),
    'facelmk.compat.crop': ('img', 'center', 'scale', 'output_size', 'rot'),
    'facelmk.compat.get_five_landmarks_from_net': (),
    'facelmk.compat.show_landmarks': ('img', 'lmks'),
    'facelmk.compat.set_circles_on_img': ('image', 'circles_list'),
    'facelmk.compat.alignment_orig': ('src_img', 'src_pts'),
}
NORMS = ('inter_ocular', 'inter_pupil', 'box_side', 'box_geo', 'box_diagonal', 'file')
LATER = ('GaussianNLLLoss', 'PIP', 'facelmk video', 'facelmk bench', 'facelmk serve')
BOX = [20.0, 10.0, 120.0, 130.0]


def public(name: str) -> Any:
    """Return an object by its dotted name, such as module.Class.method."""
    parent, _, attribute = name.rpartition('.')
    try:
        return getattr(importlib.import_module(parent), attribute)
    except ModuleNotFoundError:
        return getattr(public(parent), attribute)


@pytest.fixture(scope='module')
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of the quick start's network, in a file."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp('contract') / 'x.pth'
    torch.save({'state_dict': facelmk.load('quickstart', pretrained=False, device='cpu').landmarker.state_dict()}, path)
    return path


@pytest.fixture(scope='module')
def model(weights: Path) -> Any:
    return facelmk.load('quickstart', weights=str(weights), device='cpu')


@pytest.fixture(scope='module')
def image() -> np.ndarray:
    """A photograph (140, 160, 3), BGR."""
    return np.random.default_rng(0).integers(0, 256, (140, 160, 3), np.uint8)


@pytest.mark.parametrize('name', SIGNATURES)
def test_arguments_and_their_defaults(name: str) -> None:
    parameters = inspect.signature(public(name)).parameters
    assert {key: parameters[key].default for key in SIGNATURES[name]} == SIGNATURES[name]


@pytest.mark.parametrize('name', POSITIONAL)
def test_arguments_in_their_order(name: str) -> None:
    assert tuple(inspect.signature(public(name)).parameters)[: len(POSITIONAL[name])] == POSITIONAL[name]


@pytest.mark.parametrize('name', REGISTRIES)
def test_parts_are_registered(name: str) -> None:
    assert set(REGISTRIES[name]) <= set(getattr(registry, name))
    assert registry.DETECTORS is not None


def test_published_configs_exist() -> None:
    assert set(CONFIGS) <= set(config_names())


def test_markups() -> None:
    assert MARKUPS['wflw'].size == 98
    assert {'wflw', '300w', 'cofw', 'aflw', 'lapa', 'coco_wholebody_face', '300wlp', 'five'} <= MARKUPS.keys()


def test_a_model_is_built_from_config_fromfile() -> None:
    model = registry.MODELS.build(Config.fromfile(config_folder() / 'quickstart.py').model)
    assert type(model).__name__ == 'FaceLandmarker' and isinstance(model, nn.Module)


def test_faces_of_a_picture(model: Any, image: np.ndarray, tmp_path: Path) -> None:
    faces = model(image, boxes=[BOX])
    (face,) = faces
    assert isinstance(faces, Faces) and isinstance(face, Face)
    assert face.landmarks.shape == (98, 2) and face.landmarks.dtype == np.float32
    assert face.scores.shape == (98,) and face.box.shape == (4,) and face.box.tolist() == BOX
    assert face.markup is MARKUPS['wflw']
    assert face.five_points().shape == (5, 2)
    assert face.to_dict().keys() == {'markup', 'box', 'landmarks', 'scores'} and face.to_dict()['markup'] == 'wflw'
    assert faces.plot().shape == image.shape and not np.array_equal(faces.plot(), image)
    faces.save(tmp_path / 'out.jpg')
    assert cv2.imread(str(tmp_path / 'out.jpg')).shape == image.shape


def test_alignment(image: np.ndarray) -> None:
    """Five points on ArcFace's template leave the picture as it is."""
    points = np.array(
        [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32
    )
    face = Face(points, np.ones(5, np.float32), np.array(BOX, np.float32), MARKUPS['five'], image)
    assert np.abs(face.align().astype(int) - image[:112, :112]).max() <= 1
    assert face.align(size=224).shape == (224, 224, 3)


def test_pictures_in_every_form(model: Any, image: np.ndarray, tmp_path: Path) -> None:
    from PIL import Image

    path, rgb = tmp_path / 'x.png', np.ascontiguousarray(image[..., ::-1])
    cv2.imwrite(str(path), image)
    tensor = torch.from_numpy(rgb.transpose(2, 0, 1).copy())
    expected = model(image, boxes=[BOX])[0].landmarks
    for form in (path, str(path), path.read_bytes(), Image.fromarray(rgb), tensor):
        assert np.array_equal(model(form, boxes=[BOX])[0].landmarks, expected)
    for forms in ([image, path], torch.stack([tensor, tensor])):
        assert all(np.array_equal(faces[0].landmarks, expected) for faces in model(forms, boxes=[[BOX], [BOX]]))


def test_the_landmarker_inside(model: Any) -> None:
    with torch.no_grad():
        stages = model.landmarker(torch.zeros(1, 3, 64, 64))
    assert isinstance(model.landmarker, nn.Module) and isinstance(stages, list) and stages[-1].shape[:2] == (1, 98)
    assert [key.partition('.')[0] for key in model.landmarker.state_dict()][
        :: len(model.landmarker.state_dict()) - 1
    ] == ['backbone', 'head']


def test_a_checkpoint_that_does_not_fit_is_refused(model: Any, weights: Path, tmp_path: Path) -> None:
    load_checkpoint(model.landmarker, weights)
    load_checkpoint(model.landmarker, str(weights), strict=True)
    state = model.landmarker.state_dict()
    state.pop(next(iter(state)))
    torch.save(state, tmp_path / 'less.pth')
    with pytest.raises(facelmk.FacelmkError, match='1 missing'):
        load_checkpoint(model.landmarker, tmp_path / 'less.pth')
    load_checkpoint(model.landmarker, tmp_path / 'less.pth', strict=False)


@pytest.mark.parametrize('name', REGISTRIES['LOSSES'])
def test_losses_are_called_with_output_target_weight(name: str) -> None:
    loss, output = registry.LOSSES.build(dict(type=name)), torch.rand(2, 5, 8, 8)
    assert tuple(inspect.signature(loss.forward).parameters) == ('output', 'target', 'weight')
    assert loss(output, torch.rand(2, 5, 8, 8), torch.ones(2, 5, 1, 1)).shape == ()


def test_wing_in_pixels_of_a_crop() -> None:
    output, target = torch.rand(2, 5, 2), torch.rand(2, 5, 2)
    plain, scaled = (registry.LOSSES.build(dict(type='WingLoss', scale=scale)) for scale in (1.0, 256.0))
    torch.testing.assert_close(scaled(output, target), plain(output * 256, target * 256))


def test_forms_of_codecs() -> None:
    for refine in ('quarter', 'dark', None):
        for centre in ('exact', 'cell'):
            registry.CODECS.build(dict(type='Heatmap', sigma=2, refine=refine, centre=centre, kernel=11, aligned=True))
    for flip in ('exact', 'mmpose0'):
        registry.CODECS.build(dict(type='Coordinates', flip=flip))


@pytest.mark.parametrize('norm', NORMS)
def test_metrics_have_name_unit_direction_and_normaliser(norm: str) -> None:
    for kind in ('NME', 'FailureRate', 'AUC'):
        metric = registry.METRICS.build(dict(type=kind, norm=norm))
        assert all(
            isinstance(getattr(metric, key), str) and getattr(metric, key)
            for key in ('name', 'unit', 'direction', 'normaliser')
        )


@pytest.mark.parametrize(('markup', 'size'), [('wflw', 98), ('300w', 68), ('cofw', 29), ('aflw', 19), ('lapa', 106)])
def test_drawn_faces_have_exact_points(markup: str, size: int) -> None:
    from facelmk.datasets import SyntheticFaces

    first, again = (SyntheticFaces(markup, 2, 1, size=96).face(1) for _ in range(2))
    assert first['landmarks'].shape == (size, 2) and np.array_equal(first['image'], again['image'])


def test_future_names_are_not_in_the_lists() -> None:
    parts = {part for names in REGISTRIES.values() for part in names}
    assert not (parts | REGISTRIES.keys() | SIGNATURES.keys()) & set(LATER)
