"""Compare exported ONNX files with torch on drawn faces: one network for each way to speak of points.

python docs/measure_export_families.py [--faces 100] [--checkpoint CONFIG=FILE ...]: networks without a checkpoint have
random weights and BatchNorm statistics of drawn faces. It needs the packages of the extra `export`.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import facelmk  # noqa: E402  the package of this clone
from facelmk.export.crops import drawn_crops  # noqa: E402
from facelmk.export.run import export_model  # noqa: E402
from facelmk.export.source import Source, open_model  # noqa: E402
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


def open_source(config: str, checkpoint: str | None) -> Source:
    """Return the network of a config with its weights, or with random ones."""
    if checkpoint is not None or config == DEFAULT:
        return open_model(config, checkpoint)
    torch.manual_seed(0)
    predictor = facelmk.load(config, pretrained=False, device='cpu')
    source = Source(predictor.landmarker, predictor, config, None)
    with torch.no_grad():
        batch = {'inputs': torch.from_numpy(drawn_crops(source, 8))}
        source.model.train()(source.model.data_preprocessor(batch)['inputs'])
    source.model.eval()
    return source


def main() -> None:
    """Print a row for each family."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--faces', type=int, default=100)
    parser.add_argument('--families', nargs='+', default=list(FAMILIES), choices=FAMILIES, metavar='FAMILY')
    parser.add_argument('--checkpoint', nargs='+', default=[], metavar='CONFIG=FILE')
    options = parser.parse_args()
    checkpoints = dict(pair.split('=', 1) for pair in options.checkpoint)
    print(f'{"family":24} {"config":32} {"weights":8} {"mean px":>9} {"largest px":>11} {"within 0.01 px":>15}')
    for family in options.families:
        config = FAMILIES[family]
        trained = config in checkpoints or config == DEFAULT
        with tempfile.TemporaryDirectory() as folder:
            source = open_source(config, checkpoints.get(config))
            crops = drawn_crops(source, options.faces)
            parity = export_model(source, crops, Path(folder, 'model.onnx'), tolerance_px=np.inf).parity
        print(
            f'{family:24} {config:32} {"trained" if trained else "random":8} {parity.mean_px:9.6f} '
            f'{parity.largest_px:11.6f} {100 * parity.share_within:14.2f}%',
            flush=True,
        )


if __name__ == '__main__':
    main()
