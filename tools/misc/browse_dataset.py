"""facelmk data browse, at the path that MMPose's users know."""

import sys

from facelmk.cli import main

if __name__ == '__main__':
    sys.exit(main(['data', 'browse', *sys.argv[1:]]))
