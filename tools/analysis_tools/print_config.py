"""facelmk config show, at the path that MMPose's users know."""

import sys

from facelmk.cli import main

if __name__ == '__main__':
    words = ['--cfg-options' if word == '--options' else word for word in sys.argv[1:]]
    sys.exit(main(['config', 'show', *words]))
