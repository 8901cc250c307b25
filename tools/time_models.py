"""Write the time of one crop on one thread of this machine into the index of the zoo, for the network of each model.

python tools/time_models.py [NAME ...]: weights do not change the time, so none are loaded. Run it on a quiet machine.
"""

import json
import subprocess
import sys
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / 'tools'))

from ship_weights import INDEX, time_of_crop  # noqa: E402

from facelmk.config import load_config  # noqa: E402
from facelmk.files.atomic import write_bytes  # noqa: E402
from facelmk.registry import MODELS  # noqa: E402


def main() -> None:
    """Time each model whose config is known, and write the index and the page of the zoo."""
    torch.set_num_threads(1)
    index = json.loads(INDEX.read_text(encoding='utf-8'))
    rows = index['models'] if isinstance(index, dict) else index
    for row in rows:
        if sys.argv[1:] and row['name'] not in sys.argv[1:]:
            continue
        config = load_config(row['config'], {})
        model = MODELS.build(config.model).eval()
        row.update(time_of_crop(model, row.get('crop') or config.model.size))
        print(f'{row["name"]:40} {row["cpu_ms"]:8.1f} ms', flush=True)
    write_bytes(INDEX, (json.dumps(index, indent=2, ensure_ascii=False) + '\n').encode())
    subprocess.run([sys.executable, ROOT / 'docs/make_zoo.py'], check=True)


if __name__ == '__main__':
    main()
