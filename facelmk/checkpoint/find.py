"""Find a checkpoint: a path, a URL, or the name of published weights, which are downloaded."""

from pathlib import Path
from typing import NamedTuple

from ..errors import MissingResource, UnknownName, did_you_mean
from ..files.download import fetch
from ..registry import NAMED_WEIGHTS

PRETRAINED = {
    'torchvision://resnet18': 'https://download.pytorch.org/models/resnet18-f37072fd.pth',
    'torchvision://resnet50': 'https://download.pytorch.org/models/resnet50-0676ba61.pth',
    'torchvision://resnet101': 'https://download.pytorch.org/models/resnet101-63fe2227.pth',
    'open-mmlab://msra/hrnetv2_w18': 'https://download.openmmlab.com/pretrain/third_party/hrnetv2_w18-00eb2006.pth',
    'open-mmlab://msra/hrnetv2_w32': 'https://download.openmmlab.com/pretrain/third_party/hrnetv2_w32-dc9eeb4f.pth',
    'open-mmlab://msra/hrnetv2_w48': 'https://download.openmmlab.com/pretrain/third_party/hrnetv2_w48-d2186c55.pth',
    'dla://dla34': 'http://dl.yf.io/dla/models/imagenet/dla34-ba72cf86.pth',  # http, but its name has the hash
}


class Address(NamedTuple):
    """Where weights can be downloaded: the URL, the sha256 or its beginning ('' if unknown), and other URLs."""

    url: str
    sha256: str = ''
    mirrors: tuple[str, ...] = ()


def find_weights(name: str) -> Path | Address | None:
    """Return the file or the address of the weights of a URL, of a name in PRETRAINED, or of a model of the zoo.

    None for any other name. Raises MissingResource for a model without an address. `facelmk.zoo` registers its look-up
    as `PublishedWeights`, because this package does not import it.
    """
    if name in PRETRAINED:
        return Address(PRETRAINED[name])
    if name.startswith(('http://', 'https://')):
        return Address(name)
    found = (source.find(name) for source in NAMED_WEIGHTS.build_all())
    return next(filter(None, found), None)


def find_checkpoint(source: str | Path) -> Path:
    """Return the file of a checkpoint given by path, URL or name; published weights are downloaded."""
    weights = locate_checkpoint(source)
    return weights if isinstance(weights, Path) else fetch(weights.url, weights.sha256, mirrors=weights.mirrors)


def locate_checkpoint(source: str | Path) -> Path | Address:
    """Return the file of a checkpoint, or its address; nothing is downloaded. A missing one is an error."""
    name, path = str(source), Path(source).expanduser()
    if '://' not in name and path.is_file():
        return path
    if weights := find_weights(name):
        return weights
    if '://' in name:
        raise UnknownName(f'{name!r} is not the name of any weights. {did_you_mean(name, PRETRAINED)}')
    if not path.parent.is_dir():
        hint = f'There is no folder {path.parent} either.'
    else:
        files = [file.name for file in path.parent.glob('*.pth*')]
        hint = did_you_mean(path.name, files) if files else f'No *.pth lies in {path.parent.resolve()}.'
    raise MissingResource(f'There is no checkpoint {path} (from {Path.cwd()}). {hint}')
