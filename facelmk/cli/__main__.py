"""python -m facelmk.cli VERB"""

import sys

from . import main

sys.exit(main())
