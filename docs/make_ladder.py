"""Writes docs/ladder.md from the records below docs/ladder: `python docs/make_ladder.py`; --check only compares."""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from facelmk.config import config_names  # noqa: E402  the clone's, not another one

PAGE, RECORDS = ROOT / 'docs' / 'ladder.md', ROOT / 'docs' / 'ladder'
RUNGS = ('full', 'tenth', 'reduced')
HEAD = """# Ladder

Every row of the [zoo](zoo.md) trained on drawn faces, which nobody has to download: 7,500 to train on and 2,500 others
to test, in WFLW's six subsets and the row's own mark-up, always the same ones. The recipes are the rows' own, but for
start weights: all begin from scratch. The figures say that a recipe works, not how good it is on photographs.

| rung | epochs | faces | crop | optimizer |
|---|---|---|---|---|
| full | as published | 7,500 | the row's | the row's, its rate scaled to this machine's batch |
| tenth | a tenth, milestones and warm-up too | 7,500 | the row's | the row's, its rate scaled as well |
| reduced | 3 | 1,000 (300 to test) | 64 | Adam from 1e-3 (regression 2.5e-4) down, batches of 8, for a CPU |

On the reduced rung training faces are mirrored and turned by up to 15 degrees, and that is all: three epochs leave no
time for more.

A rung is climbed where the validation NME falls from the first to the last epoch. A cell holds the NME over the outer
eye corners in per cent, after the first and the last validated epoch, on which device and in how many minutes; its log
is behind the link. Climb one, and make this page anew:

```
python tools/ladder.py hrnetv2_w18_wflw --rung reduced
python tools/ladder.py --all --rung tenth
python docs/make_ladder.py
```

The faces are drawn once, into `.cache/`: 1,300 small ones in half a minute, all 10,000 in a few minutes on two cores.
"""


def record(name: str, rung: str) -> dict[str, Any] | None:
    """What a row came to on a rung, if it has been there."""
    file = RECORDS / rung / f'{name}.json'
    return json.loads(file.read_text(encoding='utf-8')) if file.is_file() else None


def cell(name: str, rung: str) -> str:
    """A row's first and last error, and what they took."""
    found = record(name, rung)
    if found is None:
        return 'not measured'
    first, last = found['NME'][0], found['NME'][-1]
    fails = '' if found['falls'] else ', does not fall'
    took = f'{found["device"]}, {found["minutes"]:g} min'
    return f'[{first:.2f} → {last:.2f}](ladder/{rung}/{name}.log.json){fails} ({took})'


def page() -> str:
    """The whole page."""
    lines = ['| row | ' + ' | '.join(RUNGS) + ' |', '|---|' + '---|' * len(RUNGS)]
    lines += [f'| `{name}` | ' + ' | '.join(cell(name, rung) for rung in RUNGS) + ' |' for name in config_names()]
    return HEAD + '\n' + '\n'.join(lines) + '\n'


def main() -> int:
    """Write the page, or compare it."""
    made = page()
    if '--check' in sys.argv:
        return int(not PAGE.is_file() or PAGE.read_text(encoding='utf-8') != made)
    PAGE.write_text(made, encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
