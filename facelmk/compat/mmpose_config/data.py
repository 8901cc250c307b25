"""Data sets and loaders of MMPose."""

from pathlib import PurePosixPath

from ...markups import MARKUPS
from ..mmpose_datasets import MARKUP_OF
from .mapping import check_mapping
from .published import published
from .reading import Part, Values

NO_EFFECT = ('test_mode', 'serialize_data', 'lazy_init', 'max_refetch')
HALPE = dict(type='CocoFaces', first=26, markup='300w')  # the face among the points of a whole body
LOADER_KEYS = (
    'batch_size',
    'num_workers',
    'pin_memory',
    'prefetch_factor',
    'timeout',
    'num_batch_per_epoch',
    'multiprocessing_context',
)


def translate_loader(part: Part, training: bool) -> Values:
    """A loader without its pipeline."""
    loader = part.copy(*LOADER_KEYS)
    loader.setdefault('num_workers', 0)
    if part.flag('drop_last', False):
        loader['drop_last'] = True
    if (persistent := part.flag('persistent_workers', False)) != (loader['num_workers'] > 0):
        loader['persistent_workers'] = persistent
    collate = part.part('collate_fn')
    if collate is not None and collate.kind() not in ('pseudo_collate', 'default_collate'):
        collate.refuse_kind('Expected pseudo_collate')
    if sampler := _sampler(part.part('sampler'), training):
        loader['sampler'] = sampler
    loader['dataset'] = translate_dataset(part.needed('dataset'))
    return loader


def _sampler(part: Part | None, training: bool) -> Values | None:
    if part is None:
        return None
    if part.kind() != 'DefaultSampler':
        part.refuse_kind('Expected DefaultSampler')
    options = dict(shuffle=part.flag('shuffle', True), round_up=part.flag('round_up', True)) | part.copy('seed')
    usual = dict(shuffle=training, round_up=training)
    return None if options == usual else dict(type='FaceSampler') | options


def markup_of(part: Part) -> str:
    """The landmark scheme of a data set."""
    name = str(part.values.get('type', '')).rpartition('.')[2]
    if name == 'CombinedDataset':
        return _scheme_of_file(part.needed('metainfo'))
    if name not in MARKUP_OF:
        part.choose({**MARKUP_OF, 'CombinedDataset': None}, 'Or convert its file (facelmk data convert)')
    return MARKUP_OF[name]


def _scheme_of_file(metainfo: Part) -> str:
    """The landmark scheme of metainfo=dict(from_file='configs/_base_/datasets/wflw.py')."""
    name = PurePosixPath(str(metainfo.get('from_file')).replace('\\', '/')).stem
    if name not in MARKUPS:
        metainfo.refuse('from_file', f'the file of {", ".join(sorted(set(MARKUP_OF.values())))}')
    return name


def translate_dataset(part: Part) -> Values:
    """A data set without its pipeline."""
    markup = markup_of(part)
    part.skip(*NO_EFFECT)
    if part.kind() == 'CombinedDataset':
        return _combined(part, markup)
    metainfo = part.part('metainfo')
    if metainfo is not None and _scheme_of_file(metainfo) != markup:
        metainfo.refuse('from_file', f'{markup}.py, the landmark scheme of {part.kind()}')
    paths = _paths(part)
    options = part.copy('indices', 'bbox_file')
    if not options and (dataset := published(markup, paths['ann_file'], paths['folder'], paths['root'])):
        return dataset
    return dict(
        type=part.kind(),
        data_root=paths['root'],
        ann_file=paths['ann_file'],
        data_prefix=dict(img=paths['folder']),
        **options,
    )


def _paths(part: Part) -> dict[str, str]:
    part.only('data_mode', 'topdown')
    part.only('filter_cfg', None, {})
    part.only('sample_interval', 1)
    prefix = part.get('data_prefix', dict(img=''))
    folder = prefix if isinstance(prefix, str) else prefix.pop('img', '')
    if isinstance(prefix, dict) and prefix:
        part.refuse('data_prefix', 'the folder of the pictures, dict(img=...)')
    root = str(part.get('data_root') or '')
    return dict(root=root.rstrip('/') or root, ann_file=str(part.get('ann_file', '')), folder=folder)


def _combined(part: Part, markup: str) -> Values:
    members = [_member(member, markup) for member in part.parts('datasets')]
    weights = part.get('sample_ratio_factor')
    return dict(type='JoinedFaces', markup=markup, datasets=members) | ({} if weights is None else {'weights': weights})


def _member(part: Part, markup: str) -> Values:
    """One of the joined sets. Its mapping of points must be the one that facelmk has for the two schemes."""
    name = str(part.values.get('type', '')).rpartition('.')[2]
    first = 0
    if name == 'HalpeDataset':
        part.kind()
        part.skip(*NO_EFFECT, 'metainfo')
        paths = _paths(part)
        dataset: Values = HALPE | dict(
            data_root=paths['root'], ann_file=paths['ann_file'], image_root=paths['folder'].rstrip('/')
        )
        own, first = '300w', 26
    else:
        dataset, own = translate_dataset(part), markup_of(part)
    steps = part.parts('pipeline')
    if own != markup and len(steps) != 1:
        part.refuse('pipeline', f'[KeypointConverter] from {own} to {markup}')
    for step in steps:
        check_mapping(step, own, markup, first)
    return dataset
