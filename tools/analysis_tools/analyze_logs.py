"""facelmk plot logs, at the path that MMPose's users know."""

import sys

from facelmk.cli import main

if __name__ == '__main__':
    sys.exit(main(['plot', 'logs', *sys.argv[1:]]))
