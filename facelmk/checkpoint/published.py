"""Published weights: names that stand for an address."""

from ..registry import FUNCTIONS

PRETRAINED = {
    'torchvision://resnet18': 'https://download.pytorch.org/models/resnet18-f37072fd.pth',
    'torchvision://resnet50': 'https://download.pytorch.org/models/resnet50-0676ba61.pth',
    'torchvision://resnet101': 'https://download.pytorch.org/models/resnet101-63fe2227.pth',
    'open-mmlab://msra/hrnetv2_w18': 'https://download.openmmlab.com/pretrain/third_party/hrnetv2_w18-00eb2006.pth',
    'open-mmlab://msra/hrnetv2_w32': 'https://download.openmmlab.com/pretrain/third_party/hrnetv2_w32-dc9eeb4f.pth',
    'open-mmlab://msra/hrnetv2_w48': 'https://download.openmmlab.com/pretrain/third_party/hrnetv2_w48-d2186c55.pth',
    'dla://dla34': 'http://dl.yf.io/dla/models/imagenet/dla34-ba72cf86.pth',  # http, but its name has the hash
}


def find_weights(name: str) -> tuple[str, str] | None:
    """Return address and sha256 ('' if unknown) of the weights that a URL, a name in PRETRAINED or a config stands for.

    None for any other name. Raises MissingResource for a config whose weights have no address. `facelmk.config`
    registers the look-up in configs as `published_weights`, because this package does not import it.
    """
    if name in PRETRAINED:
        return PRETRAINED[name], ''
    if name.startswith(('http://', 'https://')):
        return name, ''
    return FUNCTIONS.get('published_weights')(name)
