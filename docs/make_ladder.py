"""Writes docs/ladder.md from the records in docs/ladder/: `python docs/make_ladder.py`; --check only compares."""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from facelmk.config import config_names  # noqa: E402  the package of this clone

PAGE, RECORDS = ROOT / 'docs' / 'ladder.md', ROOT / 'docs' / 'ladder'
LEFT_OUT = ('facelmk_detector',)  # it has no landmarks, so it cannot train on the ladder's faces
RUNGS = ('full', 'tenth', 'reduced')
HEAD = """# Ladder

Every config of landmarks in the [zoo](zoo.md), trained on drawn faces, which need no download: 7,500 training faces and
2,500 test faces, always the same, with WFLW's six subsets and the config's landmark scheme. Each config keeps its own
recipe, but starts from random weights. The figures show that a recipe works, not how good it is on photographs.

There are three lengths of training, the rungs of the ladder:

| rung | epochs | training faces | crop | optimizer |
|---|---|---|---|---|
| full | as published | 7,500 | of the config | of the config, with the learning rate scaled to the batch size |
| tenth | a tenth, also of milestones and warm-up | 7,500 | of the config | as for full |
| reduced | 3 | 1,000 (300 test faces) | 64 | Adam, 1e-3 falling (regression 2.5e-4), batches of 8, for a CPU |

On the reduced rung the only augmentation is the mirror and a rotation of up to 15 degrees, because three epochs are too
few for more.

Each cell holds the NME, normalised by the outer eye corners, in per cent, after the first and after the last validated
epoch, then device and minutes; the link leads to the log. A recipe works if the second figure is smaller. To train a
config on a rung and write this page again:

```
python tools/ladder.py hrnetv2_w18_wflw --rung reduced
python tools/ladder.py --all --rung tenth
python docs/make_ladder.py
```

The faces are drawn once and kept in `.cache/`: 1,300 small ones take half a minute, all 10,000 a few minutes on two
cores.
"""


def record(name: str, rung: str) -> dict[str, Any] | None:
    """The record of a config on a rung, or None if there is none."""
    file = RECORDS / rung / f'{name}.json'
    return json.loads(file.read_text(encoding='utf-8')) if file.is_file() else None


def cell(name: str, rung: str) -> str:
    """The first and last error of a config, and the time that the training took."""
    entry = record(name, rung)
    if entry is None:
        return 'not measured'
    first, last = entry['NME'][0], entry['NME'][-1]
    fails = '' if entry['falls'] else ', does not fall'
    cost = f'{entry["device"]}, {entry["minutes"]:g} min'
    return f'[{first:.2f} → {last:.2f}](ladder/{rung}/{name}.log.json){fails} ({cost})'


def page() -> str:
    """The whole page."""
    lines = ['| config | ' + ' | '.join(RUNGS) + ' |', '|---|' + '---|' * len(RUNGS)]
    lines += [
        f'| `{name}` | ' + ' | '.join(cell(name, rung) for rung in RUNGS) + ' |'
        for name in config_names()
        if name not in LEFT_OUT
    ]
    return HEAD + '\n' + '\n'.join(lines) + '\n'


def main() -> int:
    """Write the page. With --check, compare it only: the exit code is 1 if it is not up to date."""
    text = page()
    if '--check' in sys.argv:
        return int(not PAGE.is_file() or PAGE.read_text(encoding='utf-8') != text)
    PAGE.write_text(text, encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
