"""facelmk compare, as a script."""

import sys

from facelmk.cli import main

if __name__ == '__main__':
    sys.exit(main(['compare', *sys.argv[1:]]))
