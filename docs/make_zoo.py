"""Write docs/zoo.md from the index of models and the configs: `python docs/make_zoo.py`.

With --check it only compares; exit code 1 means that the page is old.
"""

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
from facelmk.zoo import ZooModel, find_model, list_models  # noqa: E402
from facelmk.zoo.index import read_index  # noqa: E402

PAGE, REFERENCES, MEASURED = (ROOT / 'docs' / name for name in ('zoo.md', 'references.bib', 'measured'))
GROUPS = {
    'wflw': 'WFLW',
    '300w': '300W',
    '300wlp': '300W-LP',
    'cofw': 'COFW',
    'aflw': 'AFLW',
    'coco_wholebody_face': 'COCO-WholeBody-Face',
    'lapa': 'LaPa',
    'wflw_300w': 'LFPW, in 98 and 68 points as one',
    'PtsFaces': 'Your own pictures',
    'SyntheticFaces': 'Drawn faces',
    'facelmk.FaceDetector': 'Face detectors',
}
HEAD = """# Zoo

This page lists the models with weights, then has one row for each config, grouped by the data set of its test.
`python docs/make_zoo.py` writes it from `facelmk/zoo/index.json` and the configs, and a test compares them. All errors
are in per cent. Where MMPose prints a share (0.0569 on COCO-WholeBody-Face), this page has per cent (5.69).

## Models with weights

`facelmk models list '*300w*'` prints these rows on the command line, `facelmk models show NAME` one of them, and
`facelmk models get NAME --out DIR` gets the file; in Python they are `facelmk.list_models('*300w*')` and
`facelmk.zoo.find_model(NAME)`. A name is enough for `facelmk.load(NAME)`, for `facelmk test CONFIG NAME`, and for
`facelmk train CONFIG --cfg-options load_from=NAME`.

**Which of the two small networks?** `facelmk_nano`, which `facelmk.load()` uses, has the licence of this project.
`facelmk_nano_lfpw` has smaller errors on LFPW's faces, but it is for research only, because it is trained on LFPW.
"""
LIST = """{table}

GMACs are 1e9 multiply-accumulates for one crop of the size in brackets, without flip test (such as
`facelmk models stats facelmk_nano --shape 112`). The CPU time is that of one crop on one thread, without flip test
(`python tools/time_models.py`). If the sha256 of a file is known, a download is compared with it.
*Checked* is the day on which the row was compared with the file, or the host was tried:

{hosts}

## Configs

*NME* is the published figure of the checkpoint, measured as *protocol* says. Those releases chose the epoch on the test
set that they report, so the figures are a little too good. *Measured here* is the error of the checkpoint with this
code on that data set. It is empty until somebody has tested it. The papers of a row are below its table, as BibTeX. The
[ladder](ladder.md) shows the rows on drawn faces.

Train a row by its name, `facelmk train hrnetv2_w18_wflw`, or test its checkpoint:
`facelmk test hrnetv2_w18_wflw CHECKPOINT`, where CHECKPOINT is a file or the *ckpt* of the row. A ckpt marked *page* is
a page for browsers: download the file there. To fill in *measured here*, run
`facelmk test hrnetv2_w18_wflw CHECKPOINT --out docs/measured/hrnetv2_w18_wflw.json` and this script.
"""


def model_row(model: ZooModel) -> dict[str, str]:
    """Return the row of a model in the list of those with weights."""
    name = f'[`{model.name}`](../configs/{model.config}.py)'
    places = {
        model.url: f'[download]({model.url})',
        model.page: f'[page]({model.page})',
        model.file: f'`{model.file}`' + (' (in the wheel)' if str(model.file).startswith('facelmk/') else ''),
    }
    return {
        'model': name,
        'scheme': model.markup or model.task,
        'parameters': f'{model.parameters / 1e6:.2f} M',
        'GMACs': f'{model.macs / 1e9:.2f} ({model.crop}x{model.crop})',
        'CPU time': f'{model.cpu_ms:.1f} ms ({model.cpu})' if model.cpu_ms else 'not measured',
        'NME, %': ', '.join(f'{subset} {number(value)}' for subset, value in (model.NME or model.figures).items()),
        'protocol': f'{model.source}: {model.protocol}',
        'code': model.licences['code'],
        'weights': model.licences['weights'],
        'data': model.licences['data'],
        'file': '; '.join(text for place, text in places.items() if place),
        'size': f'{model.bytes / 1e6:.1f} MB' if model.bytes else 'not known',
        'sha256': f'`{model.sha256[:8]}`' if model.sha256 else 'not known',
        'checked': model.checked_on,
    }


def model_list() -> str:
    """Return the list of models with weights, and their hosts."""
    models = [find_model(name) for name in list_models()]
    hosts = [f'- {source["name"]}: {source["host"]}.' for source in read_index()['sources'].values() if source['host']]
    return LIST.format(table=table([model_row(model) for model in models]), hosts='\n'.join(hosts))


@functools.cache
def config(name: str) -> Config:
    """Return a complete config; each one is loaded once."""
    return load_config(name)


def result(name: str) -> Mapping[str, Any]:
    """Return the published result of a config."""
    return config(name).get('result') or {}


def title(name: str) -> str:
    """Return the first line of a config's docstring."""
    return docstring(name).partition('\n')[0]


def docstring(name: str) -> str:
    """Return a config's docstring."""
    return ast.get_docstring(ast.parse((config_folder() / f'{name}.py').read_text(encoding='utf-8')))


def part(config: Mapping[str, Any], leave_out: Sequence[str] = ('type', 'pretrained')) -> str:
    """Return a part with its arguments as text: HRNet (width=18)."""
    arguments = ', '.join(f'{key}={_plain(value)}' for key, value in config.items() if key not in leave_out)
    return config['type'] + (f' ({arguments})' if arguments else '')


def _plain(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return part(value, ()) if 'type' in value else dict(value)


def losses(loss: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> str:
    """Return one loss, or the sum of several, as text."""
    return part(loss) if isinstance(loss, Mapping) else ' + '.join(part(term['loss']) for term in loss)


def group(name: str) -> str:
    """Return the key in GROUPS of the data set of a config's test."""
    kinds = [config(name).test_dataloader.dataset.type, config(name).model.type]
    return next((kind for kind in kinds if kind in GROUPS), None) or config(name).model.get('markup', 'wflw')


def measured(name: str) -> str:
    """Return the NME that `facelmk test --out docs/measured/NAME.json` wrote, or ''."""
    file = MEASURED / f'{name}.json'
    return f'{json.loads(file.read_text(encoding="utf-8"))["metrics"]["NME"]:.2f}' if file.is_file() else ''


def figures(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return the figures (kind, subset) of all rows, in their order."""
    return list(
        dict.fromkeys(
            (kind, subset)
            for kind in ('NME', 'inter_pupil', 'FR', 'AUC')
            for name in names
            for subset in result(name).get(kind, ())
        )
    )


def row(name: str, columns: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the row of a config in the table of its group."""
    published, model = result(name), config(name).model
    values = {head(kind, subset): number(published.get(kind, {}).get(subset)) for kind, subset in columns}
    return {
        'config': f'[`{name}`](../configs/{name}.py)',
        'arch': f'{part(model.backbone)} + {model.head.type}',
        'input size': f'{model.size}x{model.size}',
        **values,
        'ckpt': checkpoint(published),
        'log': f'[log]({published["log"]})' if 'log' in published else '',
        'protocol': f'{published["source"]}: {published["protocol"]}'
        if 'source' in published
        else 'no published figure',
        'measured here': measured(name),
        'papers': f'[BibTeX](#{name})',
    }


def head(kind: str, subset: str) -> str:
    """Return the name of a column."""
    return {'inter_pupil': 'NME over pupils', 'FR': 'FR@0.1', 'AUC': 'AUC@0.1'}.get(kind, kind) + f' {subset}'


def number(value: float | None) -> str:
    """Return a figure with two digits, more where they were published, or ''."""
    return '' if value is None else f'{value:.2f}' if round(value, 2) == value else f'{value:g}'


def checkpoint(published: Mapping[str, Any]) -> str:
    """Return a link to the file, or to its page."""
    if 'checkpoint' in published:
        return f'[ckpt]({published["checkpoint"]})'
    return f'[page]({published["checkpoint_page"]})' if 'checkpoint_page' in published else ''


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """Return a table; the keys of the first row are its head."""
    lines = ['| ' + ' | '.join(rows[0]) + ' |', '|' + '---|' * len(rows[0])]
    return '\n'.join([*lines, *('| ' + ' | '.join(row.values()) + ' |' for row in rows)])


@functools.cache
def references() -> dict[str, str]:
    """Return the entries of references.bib by their keys."""
    entries = re.finditer(r'^@\w+\{(\w+),\n.*?^\}', REFERENCES.read_text(encoding='utf-8'), re.M | re.S)
    return {entry[1]: entry[0] for entry in entries}


def details(name: str) -> str:
    """Return a config's docstring, parts and papers."""
    model = config(name).model
    parts = f'Loss: {losses(model.loss)}. Codec: {part(model.codec)}.'
    entries = '\n\n'.join(references()[key] for key in result(name)['bibtex'])
    folded = f'<details><summary>BibTeX</summary>\n\n```bibtex\n{entries}\n```\n\n</details>'
    return f'### {name}\n\n{docstring(name)}\n\n{parts}\n\n{folded}'


def page() -> str:
    """Return the page."""
    parts = [HEAD.strip(), model_list().strip()]
    for key, heading in GROUPS.items():
        names = [name for name in config_names() if group(name) == key]
        if names:
            columns = figures(names)
            parts += [f'## {heading}', table([row(name, columns) for name in names]), *map(details, names)]
    return '\n\n'.join(parts) + '\n'


def main() -> int:
    """Write the page, or compare it."""
    new = page()
    if '--check' in sys.argv:
        return int(not PAGE.is_file() or PAGE.read_text(encoding='utf-8') != new)
    PAGE.write_text(new, encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
