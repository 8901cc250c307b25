"""One picture and one box: facelmk in torch and with exported files, beside MMPose's `inference_topdown`."""

import os
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..config import load_config
from ..export.crops import drawn_crops
from ..export.packages import NEEDED
from ..export.run import export_model
from ..export.source import Source
from ..inference import Predictor
from ..inference.runtime import find_exported, is_available, load_exported
from ..registry import MODELS
from ..zoo import DEFAULT
from .baseline.predict import TopdownInference
from .row import Options, Row, Work, compare, not_measured

CONFIG = 'hrnetv2_w18_wflw'
MMPOSE_CONFIG = 'td-hm_hrnetv2-w18_8xb64-60e_wflw-256x256.py'
BOX = np.array([300, 200, 500, 420], np.float32)
NAME = 'HRNetV2-W18, one picture and box'
ENDINGS = {'onnx': '.onnx', 'openvino': '.xml'}
ANY_PX = 1e9  # maps of an untrained network have several equal maxima, so points may differ


def rows(options: Options) -> Iterator[Row]:
    """The same network in torch, ONNX Runtime and OpenVINO beside MMPose; and what facelmk adds to a bare run."""
    image = np.random.default_rng(0).integers(0, 255, (768, 1024, 3), np.uint8)
    source = _source()
    peer, peer_name = _peer(source, image)
    yield _row('torch', source.predictor, image, peer, peer_name, options)
    with tempfile.TemporaryDirectory(prefix='facelmk-bench-') as folder:
        for kind, bfloat16 in (('onnx', False), ('openvino', False), ('openvino', True)):
            what = f'{kind}{", bfloat16" if bfloat16 else ""}'
            if missing := [name for name in NEEDED[kind] if find_spec(name) is None]:
                yield not_measured(f'{NAME}, {what}', f'{", ".join(missing)} is not installed')
                continue
            path = Path(folder, f'network{ENDINGS[kind]}')
            if not path.exists():
                export_model(source, drawn_crops(source, 3), path, kind, tolerance_px=ANY_PX)
            exported = load_exported(path, threads=options.threads, bfloat16=bfloat16)
            yield _row(what, exported, image, peer, peer_name, options)
    yield _overhead(image, options)


def _source() -> Source:
    """Return HRNetV2-W18 with the weights that it begins a training with."""
    torch.manual_seed(0)
    config = load_config(CONFIG, {'model.backbone.pretrained': None})
    landmarker = MODELS.build(config.model).eval()
    return Source(landmarker, Predictor(landmarker, config), CONFIG, None)


def _peer(source: Source, image: np.ndarray) -> tuple[Work, str]:
    """Return MMPose's own function where it is installed, otherwise the plain code that does the same."""
    if not find_spec('mmpose'):
        baseline: Any = TopdownInference(source.model)  # type: ignore[arg-type]
        return lambda: baseline(image, BOX), 'MMPose-style code'
    import mmpose
    from mmpose.apis import inference_topdown, init_model

    folder = Path(os.path.dirname(mmpose.__file__), '.mim/configs/face_2d_keypoint/topdown_heatmap/wflw')
    network = init_model(str(folder / MMPOSE_CONFIG), None, 'cpu', cfg_options={'model.backbone.init_cfg': None})
    return lambda: inference_topdown(network, image, BOX[None]), f'MMPose {version("mmpose")}'


def _row(what: str, model: Callable[..., Any], image: np.ndarray, peer: Work, peer_name: str, options: Options) -> Row:
    return compare(
        f'{NAME}, {what}',
        lambda: model(image, BOX[None]),
        peer,
        peer_name,
        'both with flip test; the peer in torch',
        seconds=options.seconds,
    )


def _overhead(image: np.ndarray, options: Options) -> Row:
    quantity = f'{DEFAULT}, from array and box'
    path = find_exported(DEFAULT)
    if path is None or not is_available():
        return not_measured(quantity, 'onnxruntime is not installed, or the exported file is missing')
    model = load_exported(path, threads=options.threads)
    crops = np.zeros((1, 3, model.crop.size, model.crop.size), np.uint8)
    session: Any = model.session
    run, feed = session.session.run, {session.input: crops}
    note = 'the difference is what facelmk adds: crop, landmarks in the picture, scheme'
    return compare(
        quantity,
        lambda: model(image, BOX[None]),
        lambda: run(None, feed),
        'session.run of ONNX Runtime alone',
        note,
        seconds=options.seconds,
    )
