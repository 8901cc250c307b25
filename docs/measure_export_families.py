"""Compare exported ONNX files with torch on drawn faces: one network for each way to speak of points.

python docs/measure_export_families.py [--faces 100] [--checkpoint CONFIG=FILE ...]: networks without a checkpoint have
random weights (He's) and BatchNorm statistics of drawn faces. Their maps have maxima of almost equal height, and
rounding decides which of them is higher. So points are left out that torch itself moves: by more than 0.001 px in
float64, or by more than a pixel after noise of 0.001 % in the weights. "kept" is the share of the others. It needs the
packages of the extra `export`.
"""

import argparse
import copy
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import facelmk  # noqa: E402  the package of this clone
from facelmk.export.crops import drawn_crops  # noqa: E402
from facelmk.export.parity import Crops, Parity, answers_of_torch, in_batches, measure  # noqa: E402
from facelmk.export.run import export_model  # noqa: E402
from facelmk.export.source import Source, open_model  # noqa: E402
from facelmk.inference.runtime.session import Session  # noqa: E402
from facelmk.zoo import DEFAULT  # noqa: E402

FAMILIES = {
    'heatmap, quarter': 'mobilenetv2_coco_wholebody_face',
    'heatmap, quarter, HRNet': 'hrnetv2_w18_wflw',
    'heatmap, DARK': 'hrnetv2_w18_wflw_dark',
    'UDP': 'hrnetv2_w18_wflw_udp',
    'integers of HRNet': 'hrnet_w18_wflw_orig',
    'coordinates': 'deeppose_r50_wflw',
    'RLE': 'deeppose_r50_wflw_rle',
    'SimCC': 'rtmpose_m_wflw',
    'SimCC, DARK': 'rtmpose_m_wflw_dark',
    'boundary, hourglass': 'awing_hg1_wflw',
    'integral': 'facelmk_nano',
    'heatmap, quick start': 'quickstart',
}
ROUNDINGS = ((torch.float32, 1e-5, 1.0),) * 4 + ((torch.float64, 0.0, 0.001),)  # noise, and how far a point may move


def open_source(config: str, checkpoint: str | None) -> Source:
    """Return the network of a config with its weights, or with random ones."""
    if checkpoint is not None or config == DEFAULT:
        return open_model(config, checkpoint)
    torch.manual_seed(0)
    predictor = facelmk.load(config, pretrained=False, device='cpu')
    source = Source(predictor.landmarker, predictor, config, None)
    with torch.no_grad():
        for layer in source.model.modules():
            if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):  # the usual ones are so small that rounding decides
                nn.init.kaiming_normal_(layer.weight)
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = 1.0
        batch = {'inputs': torch.from_numpy(drawn_crops(source, 8))}
        source.model.train()(source.model.data_preprocessor(batch)['inputs'])
    source.model.eval()
    return source


@torch.no_grad()
def alike_in_torch(source: Source, crops: Crops, expected: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which points (N, K) torch finds at the same place in float64 and after noise in the weights."""
    alike = np.ones(expected.shape[:2], bool)
    for number, noise, limit_px in ROUNDINGS:
        model = copy.deepcopy(source.model)
        for weight in model.parameters():
            weight.mul_(1 + noise * torch.randn(weight.shape))
        model.to(number)

        def run(batch: Crops, model: Any = model, number: torch.dtype = number) -> dict[str, NDArray[np.float64]]:
            inputs = source.model.data_preprocessor({'inputs': torch.from_numpy(batch)})['inputs']
            return {'points': model.answer(inputs.to(number))[0].numpy()}

        alike &= np.linalg.norm(expected - in_batches(run, crops)['points'], axis=-1) < limit_px
    return alike


def compare(source: Source, crops: Crops, path: Path) -> tuple[float, Parity]:
    """Return the share of points that rounding does not move, and how far those are from those of the ONNX file."""
    expected = answers_of_torch(source.model, crops)
    alike = alike_in_torch(source, crops, expected['points'])
    export_model(source, crops[:4], path, tolerance_px=np.inf)
    actual = in_batches(Session(path).run, crops)
    return float(alike.mean()), measure(*({**both, 'points': both['points'][alike]} for both in (expected, actual)))


def main() -> None:
    """Print a row for each family."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--faces', type=int, default=100)
    parser.add_argument('--families', nargs='+', default=list(FAMILIES), choices=FAMILIES, metavar='FAMILY')
    parser.add_argument('--checkpoint', nargs='+', default=[], metavar='CONFIG=FILE')
    options = parser.parse_args()
    checkpoints = dict(pair.split('=', 1) for pair in options.checkpoint)
    columns = f'{"kept":>8} {"mean px":>9} {"largest px":>11} {"within 0.01 px":>15}'
    print(f'{"family":24} {"config":32} {"weights":8} {columns}')
    for family in options.families:
        config = FAMILIES[family]
        trained = config in checkpoints or config == DEFAULT
        with tempfile.TemporaryDirectory() as folder:
            source = open_source(config, checkpoints.get(config))
            crops = drawn_crops(source, options.faces)
            kept, parity = compare(source, crops, Path(folder, 'model.onnx'))
        print(
            f'{family:24} {config:32} {"trained" if trained else "random":8} {100 * kept:7.2f}% '
            f'{parity.mean_px:9.6f} {parity.largest_px:11.6f} {100 * parity.share_within:14.2f}%',
            flush=True,
        )


if __name__ == '__main__':
    main()
