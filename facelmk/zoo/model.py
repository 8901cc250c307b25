"""One model of the zoo: its row of the index, joined with the published result of its config."""

import ast
import functools
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..checkpoint import Address, find_checkpoint
from ..config.crops import crop_size
from ..config.folders import config_folder
from ..errors import FacelmkError, MissingResource, UnknownName, did_you_mean
from ..files.digest import sha256_of
from ..files.download import hash_in_name, mirror_prefixes
from .index import LANDMARKS, file_of, is_model, read_index, rows


@dataclass(frozen=True)
class ZooModel:
    """What is known of a model with weights; None is what has not been measured or published.

    `path` is its file on this machine. Without one, `url` or a mirror has it, or `page`, a page for browsers.
    `file` is its path in the repository. `task` is 'landmarks' or 'faces': a detector has no scheme (`markup`), and
    `figures` in the place of `NME`. Both are in per cent by subset. `macs` count one crop of `crop` pixels. `cpu_ms` is
    the time of one crop on one thread of the processor that `cpu` names.
    """

    name: str
    title: str
    config: str
    task: str
    markup: str | None
    path: Path | None
    file: str | None
    url: str | None
    page: str | None
    mirrors: tuple[str, ...]
    host: str | None
    sha256: str | None
    bytes: int | None
    licences: Mapping[str, str]
    source: str
    protocol: str
    NME: Mapping[str, float]
    figures: Mapping[str, float]
    parameters: int
    macs: int
    crop: int
    cpu_ms: float | None
    cpu: str | None
    checked_on: str

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as lists, texts and numbers, for json."""
        return asdict(self) | {'path': None if self.path is None else str(self.path), 'mirrors': list(self.mirrors)}

    def weights(self) -> Any:
        """Return the file of the weights, or the address that they can be downloaded from."""
        if self.path is not None:
            return self.path
        if self.url is not None:
            return Address(self.url, self.sha256 or '', self.mirrors)
        if self.page is not None:
            raise MissingResource(
                f'the weights of {self.name} are on a page for browsers: {self.page}. Download them there and give '
                'the path of the file'
            )
        raise MissingResource(
            f'the weights of {self.name} are a file of the repository, {self.file}, which this installation does not '
            f'have. Copy it from a clone and give its path (sha256 {self.sha256}), or name a server that has it: '
            f'FACELMK_MIRROR=https://SERVER finds https://SERVER/{self.file}'
        )

    def get(self) -> Path:
        """Return the file of the weights, downloaded if it has to be; its sha256 is compared with that of the index."""
        path = self.path or find_checkpoint(self.name)
        digest = sha256_of(path)
        if not digest.startswith(self.sha256 or ''):
            raise FacelmkError(
                f'{path} has sha256 {digest}. The index promises {self.sha256} for {self.name}. Delete the file and '
                'get it again'
            )
        return path


def find_model(name: str) -> ZooModel:
    """Return the model of that name."""
    if not is_model(name):
        raise UnknownName(
            f'{name!r} is no model of the zoo. {did_you_mean(name, rows())} `facelmk models list` shows all'
        )
    return _model(name)


def _model(name: str) -> ZooModel:
    row, index = rows()[name], read_index()
    values = values_of(row['config'])
    result, source = values.get('result') or {}, index['sources'][row['source']]
    file, url = row.get('file'), row.get('url') or result.get('checkpoint')
    mirrors = [*row.get('mirrors', ()), *(f'{prefix}/{file}' for prefix in mirror_prefixes() if file)]
    if url is None and mirrors:
        url = mirrors.pop(0)
    data = '; '.join(index['data'][name] for name in row['data'])
    return ZooModel(
        name=name,
        title=_title(row['config']),
        config=row['config'],
        task=row.get('task', LANDMARKS),
        markup=row.get('markup'),
        path=file_of(row),
        file=file,
        url=url,
        page=result.get('checkpoint_page'),
        mirrors=tuple(mirrors),
        host=source.get('host'),
        sha256=row['sha256'] or (hash_in_name(url) if url else '') or None,
        bytes=row['bytes'],
        licences=dict(code=source['code'], weights=row.get('weights_licence') or source['weights'], data=data),
        source=result.get('source') or source['name'],
        protocol=row.get('protocol') or result['protocol'],
        NME=row.get('NME') or result.get('NME') or {},
        figures=row.get('figures') or {},
        parameters=row['parameters'],
        macs=row['macs'],
        crop=int(row.get('crop') or values['model'].get('size') or crop_size(values['val_pipeline']) or 0),
        cpu_ms=row['cpu_ms'],
        cpu=row.get('cpu'),
        checked_on=row['checked_on'],
    )


@functools.cache
def values_of(name: str) -> Mapping[str, Any]:
    """Return the values of a config that comes with facelmk, as it is written: neither completed nor checked.

    These configs are data, so nothing of torch is needed to read them.
    """
    from ..config.evaluate import evaluate  # imports mmengine's Config, which a look-up of a name does not need
    from ..config.source import read_source

    return evaluate(read_source(config_folder() / f'{name}.py'))


def _title(name: str) -> str:
    """Return the first line of a config's docstring: what the model is."""
    text = ast.get_docstring(ast.parse((config_folder() / f'{name}.py').read_text(encoding='utf-8')))
    return (text or name).partition('\n')[0]
