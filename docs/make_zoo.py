"""Writes docs/zoo.md from the configs: `python docs/make_zoo.py`; with --check it only says whether the page is new."""
import ast
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from facelmk.engine.config import config_folder, config_names, load_config  # noqa: E402  the clone's, not another one

PAGE = ROOT / 'docs' / 'zoo.md'
COLUMNS = ('config', 'network', 'loss', 'codec', 'crop', 'published', 'measured here')
HEAD = """# Zoo

One row a config, made by `python docs/make_zoo.py` from the configs themselves; a test compares this page with what
the script writes. NME in per cent. *Published* is the figure of the release that the checkpoint belongs to; *measured
here* stays empty until a checkpoint has been tested with this code on that data set.

Train a row by its name, `facelmk train hrnetv2_w18_wflw`, or test its checkpoint:
`facelmk test hrnetv2_w18_wflw CHECKPOINT`, where CHECKPOINT is a file or the URL below.
"""


def title(name: str) -> str:
    """A config's docstring."""
    return ast.get_docstring(ast.parse((config_folder() / f'{name}.py').read_text(encoding='utf-8')))


def part(config: Mapping[str, Any], leave: Sequence[str] = ('type', 'pretrained')) -> str:
    """A part with its arguments, as one would write it in a sentence."""
    told = ', '.join(f'{key}={value}' for key, value in config.items() if key not in leave)
    return config['type'] + (f' ({told})' if told else '')


def losses(loss: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> str:
    """One loss, or the sum of several."""
    return part(loss) if isinstance(loss, Mapping) else ' + '.join(part(term['loss']) for term in loss)


def row(name: str) -> dict[str, str]:
    """What the first table says of a config."""
    config = load_config(name)
    model, result = config.model, config.get('result', {})
    (crop,) = [step for step in config.test_dataloader.dataset.pipeline if step['type'] == 'CropFace']
    figure = result.get('NME', {}).get('test')
    return dict(zip(COLUMNS, (
        f'[`{name}`](../configs/{name}.py)', f'{part(model.backbone)} + {model.head.type}', losses(model.loss),
        part(model.codec), str(crop.get('size', 256)), '' if figure is None else f'{figure:.2f}', ''), strict=True))


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows under the keys of the first."""
    lines = ['| ' + ' | '.join(rows[0]) + ' |', '|' + '---|' * len(rows[0])]
    return '\n'.join([*lines, *('| ' + ' | '.join(row.values()) + ' |' for row in rows)])


def details(name: str) -> str:
    """A config's title, its published figures by subset, their protocol, and the checkpoint."""
    result = load_config(name).get('result')
    if result is None:
        return f'## {name}\n\n{title(name)}'
    figures = table([{key: f'{value:.2f}' for key, value in result.NME.items()}])
    source = f'Published by {result.source}; {result.protocol}.'
    return f'## {name}\n\n{title(name)}\n\n{figures}\n\n{source}\n\nCheckpoint: <{result.checkpoint}>'


def page() -> str:
    """The whole page."""
    names = config_names()
    return '\n\n'.join([HEAD.strip(), table([row(name) for name in names]), *map(details, names)]) + '\n'


def main() -> int:
    """Write the page, or compare it."""
    made = page()
    if '--check' in sys.argv:
        return int(not PAGE.is_file() or PAGE.read_text(encoding='utf-8') != made)
    PAGE.write_text(made, encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
