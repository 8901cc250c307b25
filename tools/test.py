"""facelmk test, under the name that MMPose's users know."""

import sys

from facelmk.cli import main

if __name__ == '__main__':
    sys.exit(main(['test', *sys.argv[1:]]))
