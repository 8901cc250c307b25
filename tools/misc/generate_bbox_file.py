"""facelmk data detect, with the arguments of MMPose's tool: DETECTOR WEIGHTS OUTPUT --pose-config CONFIG."""

import argparse
import sys

from facelmk.cli import main


def words(arguments: list[str] | None = None) -> list[str]:
    """Return the command line of `facelmk`; other options, such as --cfg-options, are passed on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('detector', help='the name of a registered detector, where MMPose has a config of mmdet')
    parser.add_argument('weights', help='its argument `weights`; none for a detector without weights')
    parser.add_argument('output', help='the file to write')
    parser.add_argument('--pose-config', required=True, help='the config whose test pictures are searched')
    options, others = parser.parse_known_args(arguments)
    weights = [] if options.weights.lower() == 'none' else ['--weights', options.weights]
    command = ['data', 'detect', options.pose_config, '--detector', options.detector, '--out', options.output]
    return [*command, *weights, *others]


if __name__ == '__main__':
    sys.exit(main(words()))
