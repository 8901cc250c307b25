"""Writes docs/zoo.md from the configs: `python docs/make_zoo.py`; with --check it only says whether the page is new."""

import ast
import functools
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from mmengine import Config  # noqa: E402

from facelmk.config import config_folder, config_names, load_config  # noqa: E402  the clone's, not another one

PAGE, REFERENCES, MEASURED = (ROOT / 'docs' / name for name in ('zoo.md', 'references.bib', 'measured'))
GROUPS = {
    'wflw': 'WFLW',
    '300w': '300W',
    '300wlp': '300W-LP',
    'cofw': 'COFW',
    'aflw': 'AFLW',
    'coco_wholebody_face': 'COCO-WholeBody-Face',
    'lapa': 'LaPa',
    'PtsFaces': 'Your own pictures',
    'SyntheticFaces': 'Drawn faces',
}
HEAD = """# Zoo

One row a config, made by `python docs/make_zoo.py` from the configs themselves, grouped by the data set that a row is
tested on; a test compares this page with what the script writes. All errors are in per cent. Where MMPose prints a
share (0.0569 on COCO-WholeBody-Face), it stands here as per cent (5.69).

*NME* is the figure of the release that the checkpoint belongs to, under the conditions in *protocol*. Those releases
chose the epoch on the very test set that they report, so the figures flatter a little. *Measured here* is what that
checkpoint gets with this code on that data set; it stays empty until somebody has tested it. The papers
behind a row stand below its table, as BibTeX. How the rows fare on drawn faces is told by the [ladder](ladder.md).

Train a row by its name, `facelmk train hrnetv2_w18_wflw`, or test its checkpoint:
`facelmk test hrnetv2_w18_wflw CHECKPOINT`, where CHECKPOINT is a file or the row's *ckpt*. A ckpt marked *page* leads
to a page from which the file is fetched by hand. A figure is put into *measured here* by
`facelmk test hrnetv2_w18_wflw CHECKPOINT --out docs/measured/hrnetv2_w18_wflw.json` and this script.
"""


@functools.cache
def config(name: str) -> Config:
    """A config, loaded once."""
    return load_config(name)


def result(name: str) -> Mapping[str, Any]:
    """What a config says of its published result."""
    return config(name).get('result') or {}


def title(name: str) -> str:
    """The first line of a config's docstring."""
    return docstring(name).partition('\n')[0]


def docstring(name: str) -> str:
    """All of a config's docstring."""
    return ast.get_docstring(ast.parse((config_folder() / f'{name}.py').read_text(encoding='utf-8')))


def part(config: Mapping[str, Any], leave: Sequence[str] = ('type', 'pretrained')) -> str:
    """A part with its arguments, as one would write it in a sentence."""
    told = ', '.join(f'{key}={_plain(value)}' for key, value in config.items() if key not in leave)
    return config['type'] + (f' ({told})' if told else '')


def _plain(value: Any) -> Any:
    return (
        part(value, ())
        if isinstance(value, Mapping) and 'type' in value
        else dict(value)
        if isinstance(value, Mapping)
        else value
    )


def losses(loss: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> str:
    """One loss, or the sum of several."""
    return part(loss) if isinstance(loss, Mapping) else ' + '.join(part(term['loss']) for term in loss)


def group(name: str) -> str:
    """The key in GROUPS of the data set that a config is tested on."""
    kind = config(name).test_dataloader.dataset.type
    return kind if kind in GROUPS else config(name).model.get('markup', 'wflw')


def measured(name: str) -> str:
    """The NME that `facelmk test --out docs/measured/NAME.json` wrote, or nothing."""
    file = MEASURED / f'{name}.json'
    return f'{json.loads(file.read_text(encoding="utf-8"))["metrics"]["NME"]:.2f}' if file.is_file() else ''


def figures(names: Sequence[str]) -> list[tuple[str, str]]:
    """The figures (kind, subset) that any of the rows has, in their order."""
    return list(
        dict.fromkeys(
            (kind, subset)
            for kind in ('NME', 'inter_pupil', 'FR', 'AUC')
            for name in names
            for subset in result(name).get(kind, ())
        )
    )


def row(name: str, columns: Sequence[tuple[str, str]]) -> dict[str, str]:
    """What a group's table says of a config."""
    told, model = result(name), config(name).model
    values = {head(kind, subset): number(told.get(kind, {}).get(subset)) for kind, subset in columns}
    return {
        'config': f'[`{name}`](../configs/{name}.py)',
        'arch': f'{part(model.backbone)} + {model.head.type}',
        'input size': f'{model.size}x{model.size}',
        **values,
        'ckpt': checkpoint(told),
        'log': f'[log]({told["log"]})' if 'log' in told else '',
        'protocol': f'{told["source"]}: {told["protocol"]}' if 'source' in told else 'no published figure',
        'measured here': measured(name),
        'papers': f'[BibTeX](#{name})',
    }


def head(kind: str, subset: str) -> str:
    """A column's name."""
    return {'inter_pupil': 'NME over pupils', 'FR': 'FR@0.1', 'AUC': 'AUC@0.1'}.get(kind, kind) + f' {subset}'


def number(value: float | None) -> str:
    """Two digits, more where they were published, or nothing."""
    return '' if value is None else f'{value:.2f}' if round(value, 2) == value else f'{value:g}'


def checkpoint(told: Mapping[str, Any]) -> str:
    """A link to the file, or to the page where it is."""
    if 'checkpoint' in told:
        return f'[ckpt]({told["checkpoint"]})'
    return f'[page]({told["checkpoint_page"]})' if 'checkpoint_page' in told else ''


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows under the keys of the first."""
    lines = ['| ' + ' | '.join(rows[0]) + ' |', '|' + '---|' * len(rows[0])]
    return '\n'.join([*lines, *('| ' + ' | '.join(row.values()) + ' |' for row in rows)])


@functools.cache
def references() -> dict[str, str]:
    """The entries of references.bib by their keys."""
    entries = re.findall(r'^@\w+\{(\w+),\n.*?^\}', REFERENCES.read_text(encoding='utf-8'), re.M | re.S)
    texts = re.findall(r'^@.*?^\}', REFERENCES.read_text(encoding='utf-8'), re.M | re.S)
    return dict(zip(entries, texts, strict=True))


def details(name: str) -> str:
    """A config's docstring, its parts, and its papers."""
    model = config(name).model
    parts = f'Loss: {losses(model.loss)}. Codec: {part(model.codec)}.'
    entries = '\n\n'.join(references()[key] for key in result(name)['bibtex'])
    folded = f'<details><summary>BibTeX</summary>\n\n```bibtex\n{entries}\n```\n\n</details>'
    return f'### {name}\n\n{docstring(name)}\n\n{parts}\n\n{folded}'


def page() -> str:
    """The whole page."""
    parts = [HEAD.strip()]
    for key, heading in GROUPS.items():
        names = [name for name in config_names() if group(name) == key]
        if names:
            columns = figures(names)
            parts += [f'## {heading}', table([row(name, columns) for name in names]), *map(details, names)]
    return '\n\n'.join(parts) + '\n'


def main() -> int:
    """Write the page, or compare it."""
    made = page()
    if '--check' in sys.argv:
        return int(not PAGE.is_file() or PAGE.read_text(encoding='utf-8') != made)
    PAGE.write_text(made, encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
