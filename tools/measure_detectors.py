"""Compare face detectors on annotated faces and on pictures without a face, in one table.

python tools/measure_detectors.py --table face_landmarks_val.csv --images images --faceless FOLDER

The table has HRNet's format with 68 landmarks, counted from 1. First look at each picture of the folder: it must not
show a face. The script also pastes the annotated faces into these pictures. It measures only installed detectors.
"""

import argparse
import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault('OMP_NUM_THREADS', '1')
os.environ.setdefault('GLOG_minloglevel', '3')

import cv2  # noqa: E402
import torch  # noqa: E402

from facelmk.datasets import CsvFaces, FacesInPictures  # noqa: E402
from facelmk.datasets.images.decode import read_image  # noqa: E402
from facelmk.errors import DataDefect, FacelmkError, MissingResource  # noqa: E402
from facelmk.files.atomic import write_bytes  # noqa: E402
from facelmk.inference.detectors import Detector, find_detector  # noqa: E402
from facelmk.report.detection import compare_detectors  # noqa: E402

SUFFIXES = ('.png', '.jpg', '.jpeg')


def main(arguments: list[str] | None = None) -> int:
    """Run the tool and return its exit code."""
    try:
        run(parse(arguments))
    except FacelmkError as error:
        print(f'measure_detectors: {error}', file=sys.stderr)
        return error.exit_code
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(
        'measure_detectors', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--table', required=True, help='the table of annotated faces')
    parser.add_argument('--images', required=True, help='the folder of their pictures')
    parser.add_argument('--faceless', required=True, help='a folder of pictures that hold no face')
    parser.add_argument('--detectors', nargs='+', default=['auto', 'YuNet', 'MediaPipe'], help='names or files')
    parser.add_argument('--pictures', type=int, default=40, help='composed pictures of each kind (default: 40)')
    parser.add_argument('--json', help='write the figures to this file')
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> None:
    """Measure, and print the table."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    data = CsvFaces(ann_file=options.table, image_root=options.images, markup='300w', box='tight', origin=1)
    folder = Path(options.faceless)
    files = sorted(path for path in folder.glob('*') if path.suffix.lower() in SUFFIXES)
    if not files:
        raise DataDefect(f'{folder} has no pictures. Expected files that end in {", ".join(SUFFIXES)}')
    grounds = {path.name: read_image(path) for path in files}
    detectors = _installed(options.detectors)
    if not detectors:
        raise MissingResource(f'none of the detectors {", ".join(options.detectors)} can be used here')
    table, alarms = compare_detectors(detectors, FacesInPictures(data), grounds, options.pictures)
    print(table.text())
    for name, counts in alarms.items():
        listed = ', '.join(f'{picture} {count}' for picture, count in counts.items() if count)
        print(f'alarms of {name}: {listed or "none"}')
    if options.json:
        rows = {row.name: dict(zip(table.columns, row.values, strict=True)) for row in table.blocks['face detectors']}
        write_bytes(Path(options.json), json.dumps({'figures': rows, 'alarms': alarms}, indent=1).encode())


def _installed(names: list[str]) -> dict[str, Detector]:
    detectors = {}
    for name in names:
        try:
            detectors[name] = find_detector(name)
        except MissingResource as error:
            print(f'left out: {name}. {error}')
    return detectors


if __name__ == '__main__':
    sys.exit(main())
