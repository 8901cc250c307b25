"""Fit the rule from a detector's own box to the tight box of the landmarks, on annotated or drawn faces.

    python tools/fit_box_rule.py YuNet --table face_landmarks_train.csv --images images
    python tools/fit_box_rule.py YuNet --drawn 500

It prints the line `box_rule = ...` to write into the detector's class, and how well it fits. The table has HRNet's
format with 68 landmarks, counted from 1.
"""

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault('GLOG_minloglevel', '3')

import numpy as np  # noqa: E402

from facelmk.datasets import CsvFaces, FaceDataset, FacesInPictures, SyntheticFaces  # noqa: E402
from facelmk.errors import DataDefect, FacelmkError  # noqa: E402
from facelmk.geometry import overlaps  # noqa: E402
from facelmk.inference.detectors import BoxRule, find_detector  # noqa: E402
from facelmk.report.detection.trials import matched_boxes  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Run the tool and return its exit code."""
    try:
        run(parse(arguments))
    except FacelmkError as error:
        print(f'fit_box_rule: {error}', file=sys.stderr)
        return error.exit_code
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(
        'fit_box_rule', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('detector', help='its name, or a file of weights')
    parser.add_argument('--table', help='a table of annotated faces')
    parser.add_argument('--images', default='.', help='the folder of their pictures')
    parser.add_argument('--drawn', type=int, default=500, help='without a table: this many drawn faces (default: 500)')
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> None:
    """Fit the rule and print it."""
    faces: FaceDataset
    if options.table:
        faces = CsvFaces(ann_file=options.table, image_root=options.images, markup='300w', box='tight', origin=1)
    else:
        faces = SyntheticFaces('300w', options.drawn, seed=31, size=256)
    detector = find_detector(options.detector)
    own, tight = matched_boxes(detector, FacesInPictures(faces))
    if not len(own):
        raise DataDefect(f'{detector} found none of the {len(faces)} faces. Expected pictures in which it finds most')
    rule = BoxRule.fit(own, tight)
    before, after = (float(np.diag(overlaps(boxes, tight)).mean()) for boxes in (own, rule(own)))
    print(f'box_rule = BoxRule(shift={rule.shift}, factor={rule.factor})')
    print(f'{len(own)} of {len(faces)} faces; mean intersection over union {before:.3f} before, {after:.3f} after')


if __name__ == '__main__':
    sys.exit(main())
