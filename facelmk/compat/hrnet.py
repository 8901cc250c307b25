"""HRNet-landmarks' model by its name, and landmarks of a picture in one call, in fractions of pixels."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from .. import geometry
from ..checkpoint import load_checkpoint
from ..errors import FacelmkError, MissingResource, UnknownName, did_you_mean
from ..inference import Predictor
from ..inference.boxes import boxes_in
from ..inference.pictures import read_picture
from ..inference.stream import PicturePredictor
from ..markups import convert
from ..models import FaceLandmarker
from ..registry import MODELS
from .devices import device_or_cpu
from .hrnet_yaml import read_hrnet
from .pixels import get_transform, refine, warp_crop
from .shipped import ShippedNet, has_shipped_points

MARKUP_OF_MODEL = {'WFLW': 'wflw', 'AFLW': 'aflw', '300W': '300w', 'COFW': 'cofw'}
MARKUP_OF_SIZE = {98: 'wflw', 19: 'aflw', 68: '300w', 29: 'cofw'}
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])  # of RGB in [0, 1]
PADDING = 1.25  # the crop's side over the longer side of a box, as in training
CENTRE_SHARE = 0.78125  # of a picture's longer side, for the crop around its centre where there is no box
MAX_TURNED_PX = 1024  # the side of a picture that is turned for a predictor


class HighResolutionNet(nn.Module):
    """HRNetV2 as the original has it: normalised RGB crops (B, 3, S, S) to heatmaps (B, K, S / 4, S / 4)."""

    def __init__(self, landmarker: FaceLandmarker) -> None:
        super().__init__()
        self.landmarker = landmarker

    def forward(self, image: Tensor) -> Tensor:
        return self.landmarker(image)[-1]


def get_model_by_name(
    model_name: str,
    root_models_path: str | Path = 'hrnetv2_models',
    prefix: str = 'HR18-',
    model_type: str = 'landmarks',
    device: str | torch.device = 'cuda',
) -> HighResolutionNet | ShippedNet:
    """HRNetV2-W18 for 'WFLW', 'AFLW', '300W' or 'COFW', with the weights of `root/prefix + name + .pth`.

    The number of points and the width are read from the original's .yaml beside it, if there is one. The weights may be
    in any dialect; every tensor must fit. Without the file, 'WFLW' and '300W' are the network that comes with facelmk,
    with a warning. Without a GPU the CPU is used, with a warning.
    """
    if model_type != 'landmarks':
        raise FacelmkError(
            f"get_model_by_name: model_type={model_type!r}. Expected 'landmarks'. The ImageNet classifier, which the "
            "original makes for any other value, is timm's: timm.create_model('hrnet_w18', pretrained=True)"
        )
    weights = Path(root_models_path).expanduser() / f'{prefix}{model_name}.pth'
    markup, width = _network(model_name, weights.with_name(f'{prefix}{model_name}.yaml'))
    if not weights.is_file() and has_shipped_points(markup):
        warnings.warn(
            f'get_model_by_name: there is no {weights.resolve()}, so the model of facelmk is used. These are not the '
            'weights of HRNet-landmarks',
            stacklevel=2,
        )
        return ShippedNet(markup).eval().to(device_or_cpu(device))
    if not weights.is_file():
        files = sorted(path.name for path in weights.parent.glob('*.pth')) if weights.parent.is_dir() else None
        raise MissingResource(
            f'there is no {weights.resolve()}; '
            + ('the folder does not exist' if files is None else f'*.pth in that folder: {files}')
            + '. Put the weights there, or name their folder by root_models_path= and the text before '
            f'{model_name!r} in their name by prefix='
        )
    landmarker = MODELS.build(
        dict(
            type='facelmk.FaceLandmarker',
            backbone=dict(type='HRNet', width=width),
            head=dict(type='HeatmapHead', convs=1),
            codec=dict(type='HRNetInteger'),
            loss=dict(type='HeatmapMSELoss'),
            markup=markup,
        )
    )
    load_checkpoint(landmarker, weights)
    return HighResolutionNet(landmarker).eval().to(device_or_cpu(device))


def _network(name: str, file: Path) -> tuple[str, int]:
    """Landmark scheme and width of the network, from the .yaml if there is one, otherwise from the name."""
    values = (read_hrnet(file) or {}) if file.is_file() else {}
    model = values.get('MODEL', {})
    markup = MARKUP_OF_SIZE.get(model.get('NUM_JOINTS'), MARKUP_OF_MODEL.get(name.upper()))
    if markup is None:
        raise UnknownName(
            f'{name!r} is no model, and there is no {file.resolve()} with its number of points. '
            f'{did_you_mean(name, MARKUP_OF_MODEL)} For a model of facelmk, give facelmk.load(NAME) to get_lmks_by_img'
        )
    return markup, model['EXTRA']['STAGE2']['NUM_CHANNELS'][0] if model else 18


@torch.no_grad()
def get_lmks_by_img(
    model: nn.Module | PicturePredictor,
    img: Any,
    output_size: Sequence[int] = (256, 256),
    rot: float = 0,
    bbox: ArrayLike | None = None,
    color: str = 'bgr',
) -> NDArray[np.float32]:
    """Landmarks (K, 2) in pixels of the picture, computed on the device of `model`.

    The crop's side is 1.25 times the longer side of `bbox` (x1, y1, x2, y2). Without a box it is 0.78125 times the
    picture's longer side, around the centre, so that the face must fill the picture. `rot` is the angle by which the
    head leans, in degrees. `img` is BGR as OpenCV reads it, or RGB with `color='rgb'`. `model` comes from
    `get_model_by_name`, is any network with such heatmaps, or a FaceLandmarker, which decodes with its own codec and
    needs the `output_size` of its training. It may also be a predictor, such as that of `facelmk.load`: it cuts crops
    of the size that its network was trained with, so `output_size` does not count, and it returns the landmark scheme
    of its faces. A network that joins two schemes, as `facelmk_nano` does, gives the first of them, or the one of
    `facelmk.load(markup=...)`.
    """
    if color not in ('bgr', 'rgb'):
        raise FacelmkError(f"color={color!r}. Expected 'bgr' (cv2.imread's order) or 'rgb'")
    if not isinstance(model, (nn.Module, PicturePredictor)):
        raise FacelmkError(
            f'model is of type {type(model).__name__}. Expected what get_model_by_name or facelmk.load returns, or a '
            'torch network'
        )
    image = read_picture(img)
    image = image if color == 'bgr' else np.ascontiguousarray(image[..., ::-1])
    center, scale = _center_and_scale(image, bbox)
    if isinstance(model, FaceLandmarker) and hasattr(model, 'cfg'):  # of `init_model`
        model = Predictor(model, model.cfg)
    if isinstance(model, PicturePredictor):
        return _predict(model, image, center, scale, rot)
    warp = get_transform(center, scale, output_size, rot)
    bgr = warp_crop(image, warp, output_size)
    if isinstance(model, FaceLandmarker):
        return _decode(model, bgr, warp)
    inputs = _normalise(bgr).to(next(iter(model.parameters()), torch.empty(0)).device)
    if isinstance(model, ShippedNet):
        return geometry.apply(geometry.invert(warp), model.points(inputs)[0].cpu().numpy())
    scores = model(inputs)
    scores = scores[-1] if isinstance(scores, (list, tuple)) else scores
    grid = [output_size[0] / 4, output_size[1] / 4]
    points = refine(scores.float().cpu(), grid) - 1
    return geometry.apply(
        geometry.invert(get_transform(center, scale, grid, rot)), points[0].numpy().astype(np.float32)
    )


def _predict(
    predictor: PicturePredictor, image: NDArray, center: Sequence[float], scale: float, rot: float
) -> NDArray[np.float32]:
    """The landmarks of the box that the crop pads; with `rot`, of a copy of the surroundings where the head is up."""
    x, y = center
    half = scale * 200 / PADDING / 2
    if not rot:
        return _landmarks(predictor, image, [x - half, y - half, x + half, y + half])
    side = min(MAX_TURNED_PX, max(32, round(4 * half)))
    warp = get_transform(center, 4 * half / 200, (side, side), rot)
    box = [side / 4, side / 4, side * 3 / 4, side * 3 / 4]
    landmarks = _landmarks(predictor, warp_crop(image, warp, (side, side)), box)
    return geometry.apply(geometry.invert(warp), landmarks)


def _landmarks(predictor: PicturePredictor, image: NDArray, box: Sequence[float]) -> NDArray[np.float32]:
    """The landmarks (K, 2) of the face in one box."""
    (faces,) = predictor.stream([image], [[box]])
    return faces[0].landmarks


def _decode(network: FaceLandmarker, crop: NDArray, warp: NDArray) -> NDArray[np.float32]:
    """The landmarks that a network's own codec finds in a crop (S, S, 3); of two joined schemes, those of the first."""
    crops = torch.from_numpy(np.ascontiguousarray(crop.transpose(2, 0, 1)))[None]
    (face,) = network.test_step(dict(inputs=crops, data_samples=dict(id=[0], warp=torch.from_numpy(warp)[None])))
    landmarks, markup = face['landmarks'].numpy(), network.markup
    if markup.first is None:
        return landmarks
    return convert(landmarks, np.ones(len(landmarks), np.float32), markup.name, markup.first)[0]


def _center_and_scale(image: NDArray, bbox: ArrayLike | None) -> tuple[list[float], float]:
    """Centre and scale of the crop."""
    height, width = image.shape[:2]
    if bbox is None:
        return [width // 2, height / 2], max(width, height) * CENTRE_SHARE / 200
    boxes = boxes_in(bbox, width, height)
    if len(boxes) != 1:
        raise FacelmkError(f'bbox holds {len(boxes)} boxes. Expected one: x1, y1, x2, y2')
    x1, y1, x2, y2 = boxes[0].astype(float)
    return [(x1 + x2) / 2, (y1 + y2) / 2], max(x2 - x1, y2 - y1) * PADDING / 200


def _normalise(bgr: NDArray) -> Tensor:
    """A crop (S, S, 3) as the network's input (1, 3, S, S), RGB."""
    rgb = (bgr[..., ::-1] / 255 - MEAN) / STD
    return torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1), np.float32))[None]
