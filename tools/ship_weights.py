"""Put weights into the zoo: write a checkpoint into the file of a model, and update its row of the index.

    python tools/ship_weights.py facelmk_nano work_dirs/facelmk_nano/best_NME_epoch_16.pth \
        --figures "LFPW=4.89" "LFPW, flip test=4.76"

The weights of convolutions become float16, all others stay as they are, and the text of the config goes into the file.
Parameters and MACs are counted; --time measures the time of one crop, on a machine that does nothing else. The figures
come from `facelmk test`. The script also updates docs/zoo.md and the sha256 on the card zoo/README.md. A new model
needs its row in facelmk/zoo/index.json first.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

os.environ['OMP_NUM_THREADS'] = '1'  # the CPU time is that of one thread
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

from facelmk.checkpoint import load_checkpoint, pack  # noqa: E402
from facelmk.config import load_config  # noqa: E402
from facelmk.files.atomic import write_bytes  # noqa: E402
from facelmk.registry import MODELS  # noqa: E402
from facelmk.report.model_stats import model_cost  # noqa: E402
from facelmk.zoo import LANDMARKS  # noqa: E402
from facelmk.zoo.index import INDEX  # noqa: E402

CARD = ROOT / 'zoo/README.md'
RUNS = 30  # the time is that of the fastest one


def main(arguments: list[str] | None = None) -> None:
    """Pack one file and write what has changed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('name', help='a model of facelmk/zoo/index.json')
    parser.add_argument('checkpoint', nargs='?', help='the new weights (default: those that the model has)')
    parser.add_argument('--figures', nargs='+', metavar='SUBSET=NUMBER', default=(), help='what facelmk test printed')
    parser.add_argument('--full', action='store_true', help='leave the weights of convolutions in float32')
    parser.add_argument('--as-is', action='store_true', help='leave the file of the model as it is')
    parser.add_argument('--time', action='store_true', help='measure the CPU time, too')
    options = parser.parse_args(arguments)
    index = json.loads(INDEX.read_text(encoding='utf-8'))
    row = next((row for row in index['models'] if row['name'] == options.name and row.get('file')), None)
    if row is None:
        parser.error(f'{options.name!r} has no row with a file in {INDEX}')
    path, old = ROOT / row['file'], row.get('sha256')
    config = load_config(row['config'])
    config.pop('visualizer', None)  # depends on what is installed here
    if options.as_is:
        content: Any = path.read_bytes()
    else:
        content = pack(options.checkpoint or path, half=not options.full, config_text=config.pretty_text)
        write_bytes(path, content)
    row.update(
        measure(config, path, row.get('crop') or config.model.size, options.time),
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
    )
    row.update(checked_on=f'{date.today()}')
    kind = 'NME' if row.get('task', LANDMARKS) == LANDMARKS else 'figures'
    row[kind] = row.get(kind, {}) | {
        key: float(value) for key, value in (text.rsplit('=', 1) for text in options.figures)
    }
    write_bytes(INDEX, (json.dumps(index, indent=2, ensure_ascii=False) + '\n').encode())
    if old:
        write_bytes(CARD, CARD.read_text(encoding='utf-8').replace(old, row['sha256']).encode())
    print(f'{path}: {len(content):,} bytes, sha256 {row["sha256"]}')
    subprocess.run([sys.executable, ROOT / 'docs/make_zoo.py'], check=True)


def measure(config: Any, path: Path, size: int, timed: bool) -> dict[str, Any]:
    """Return parameters, MACs and, on request, the time of one crop; the weights must fit the network of the config."""
    cost = model_cost(config, size)[0]
    model, counts = MODELS.build(config.model).eval(), dict(parameters=cost.parameters, macs=cost.macs)
    load_checkpoint(model, path)
    if not timed:
        return counts
    return counts | time_of_crop(model, size)


def time_of_crop(model: torch.nn.Module, size: int) -> dict[str, Any]:
    """Return the milliseconds of one crop, the least of some runs, and the processor."""
    crop, times = torch.zeros(1, 3, size, size), []
    with torch.no_grad():
        for _ in range(RUNS):
            start = time.perf_counter()
            model(crop)
            times.append(time.perf_counter() - start)
    return dict(cpu_ms=round(min(times) * 1e3, 1), cpu=processor())


def processor() -> str:
    """Return the name of the processor, as Linux knows it."""
    lines = Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines()
    return next(line.partition(':')[2].strip() for line in lines if line.startswith('model name'))


if __name__ == '__main__':
    main()
