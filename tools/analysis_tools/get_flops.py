"""facelmk models stats, at the path that MMPose's users know."""

import sys

from facelmk.cli import main

if __name__ == '__main__':
    sys.exit(main(['models', 'stats', *sys.argv[1:]]))
