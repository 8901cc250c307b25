"""Train configs of the zoo on drawn faces. This shows each of them at work without a download.

`python tools/ladder.py ROW... --rung full|tenth|reduced [--resume]`, or `--all`. A row keeps its network, codec, loss,
pipelines and landmark scheme. Its data are the faces of configs/_base_/data/synthetic_wflw.py, and it starts without
pretrained weights.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from mmengine import Config, ConfigDict  # noqa: E402

from facelmk.config import config_folder, config_names, load_config  # noqa: E402
from facelmk.engine.run import train  # noqa: E402
from facelmk.files.atomic import write_bytes  # noqa: E402
from facelmk.report.logs import read_log  # noqa: E402
from facelmk.report.record import versions  # noqa: E402

LEFT_OUT = ('facelmk_detector',)  # it has no landmarks, so it cannot train on these faces
RECORDS = ROOT / 'docs' / 'ladder'
RUNGS = {
    'full': 'the published epochs',
    'tenth': 'a tenth of the published epochs',
    'reduced': '1,000 faces in crops of 64 pixels, 3 epochs, for a CPU',
}
REDUCED = dict(train=1000, val=300, picture=96, crop=64, epochs=3, batch=8, rate=1e-3, regression=2.5e-4)


def climb(name: str, rung: str) -> Config:
    """Return a row's config with drawn faces, and with the length and size of the rung."""
    config = load_config(name)
    config.work_dir = str(ROOT / 'work_dirs' / 'ladder' / rung / name)
    config.model.backbone.pretrained = None
    _use_drawn_faces(config)
    if rung == 'reduced':
        _reduce(config)
    elif rung == 'tenth':
        _shorten(config, 0.1)
    if rung != 'reduced':
        config.default_hooks.checkpoint.update(interval=1, max_keep_ckpts=1)
    for part in ('dataloader', 'evaluator', 'cfg'):
        config[f'test_{part}'] = config[f'val_{part}']
    return config


def _use_drawn_faces(config: Config) -> None:
    """Replace the data sets by drawn faces of the same landmark scheme, and the metrics by the inter-ocular ones."""
    faces = Config.fromfile(config_folder() / '_base_' / 'data' / 'synthetic_wflw.py')
    for phase in ('train_dataloader', 'val_dataloader'):
        dataset = faces[phase].dataset
        dataset.update(
            markup=config.model.get('markup', 'wflw'),
            pipeline=config[phase].dataset.pipeline,
            cache=str(ROOT / dataset.cache),
        )
        config[phase].dataset = dataset
    config.val_evaluator = faces.val_evaluator


def _shorten(config: Config, share: float) -> None:
    """Multiply epochs, milestones and warm-up by `share`."""
    for scheduler in config.param_scheduler:
        for key in ('begin', 'end', 'T_max'):
            if key in scheduler:
                scheduler[key] = int(scheduler[key] * share)
        if 'milestones' in scheduler:
            scheduler.milestones = [max(1, int(epoch * share)) for epoch in scheduler.milestones]
    for hook in config.get('custom_hooks', ()):
        if 'epoch' in hook:
            hook.epoch = int(hook.epoch * share)
    config.train_cfg.update(
        max_epochs=max(2, int(config.train_cfg.max_epochs * share)),
        val_interval=max(1, int(config.train_cfg.get('val_interval', 1) * share)),
    )


def _reduce(config: Config) -> None:
    """Use few small faces, and an optimizer that learns within a few hundred steps of a small batch."""
    epochs = REDUCED['epochs']
    for phase, batch in (('train', REDUCED['batch']), ('val', 50)):
        config[f'{phase}_dataloader'].update(batch_size=batch, num_workers=0, persistent_workers=False)
        config[f'{phase}_dataloader'].dataset.update(count=REDUCED[phase], size=REDUCED['picture'])
    _reduce_augmentation(config)
    regression = config.model.head.type in ('RegressionHead', 'RLEHead')
    rate = REDUCED['regression' if regression else 'rate']  # the published ones differ
    config.optim_wrapper.optimizer = ConfigDict(type='Adam', lr=rate)
    config.optim_wrapper.pop('paramwise_cfg', None)
    config.param_scheduler = [
        ConfigDict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=30),
        ConfigDict(type='CosineAnnealingLR', T_max=epochs, eta_min=rate / 100, convert_to_iter_based=True),
    ]
    config.train_cfg.update(max_epochs=epochs, val_interval=1)
    config.default_hooks.logger.update(interval=10)
    config.default_hooks.checkpoint = ConfigDict(type='CheckpointHook', interval=-1, save_last=False)


def _reduce_augmentation(config: Config) -> None:
    """Use small crops; training mirrors and turns them a little, in one stage."""
    config.model.size = size = REDUCED['crop']
    for crop in _parts(config.val_dataloader.dataset.pipeline, 'CropFace'):
        crop['size'] = size
        augmented = dict(crop, flip=0.5, rotate=15)
        config.train_dataloader.dataset.pipeline = [dict(type='LoadImage'), augmented, dict(type='PackFace')]
    config.custom_hooks = [hook for hook in config.get('custom_hooks', ()) if hook.type != 'SwitchPipeline']


def _parts(value: Any, kind: str) -> Iterator[dict]:
    """Yield every part of that type, at or below `value`."""
    if isinstance(value, dict):
        if value.get('type') == kind:
            yield value
        for child in list(value.values()):
            yield from _parts(child, kind)
    elif isinstance(value, (list, tuple)):
        for child in value:
            yield from _parts(child, kind)


def run(name: str, rung: str, resume: bool = False) -> dict[str, Any]:
    """Train a row on a rung, or resume it; write its log and its result into docs/ladder."""
    config = climb(name, rung)
    if not resume:
        shutil.rmtree(config.work_dir, ignore_errors=True)
    runner = train(config, 'auto' if resume else None, scale_rate=rung != 'reduced' and 'auto_scale_lr' in config)
    folder = RECORDS / rung
    logs = sorted(Path(config.work_dir).glob('*/vis_data/scalars.json'))
    write_bytes(folder / f'{name}.log.json', b''.join(log.read_bytes() for log in logs))
    errors = [round(line['NME'], 3) for line in read_log(folder / f'{name}.log.json').val]
    entry = dict(
        row=name,
        rung=rung,
        NME=errors,
        falls=errors[-1] < errors[0],
        epochs=config.train_cfg.max_epochs,
        faces=len(runner.train_dataloader.dataset),
        crop=config.model.size,
        batch=config.train_dataloader.batch_size,
        minutes=round(sum(map(_minutes, logs)), 1),
        device=torch.cuda.get_device_name() if torch.cuda.is_available() else 'CPU',
        versions=versions(),
    )
    write_bytes(folder / f'{name}.json', f'{json.dumps(entry, indent=2)}\n'.encode())
    return entry


def _minutes(log: Path) -> float:
    """Return the minutes from the start time in the folder's name to the last line of the log."""
    start = datetime.strptime(log.parents[1].name[:15], '%Y%m%d_%H%M%S')
    return (datetime.fromtimestamp(log.stat().st_mtime) - start).total_seconds() / 60


def main() -> int:
    """Run the rows one after the other, each in a process of its own; return 1 if an error did not fall."""
    parser = argparse.ArgumentParser('ladder', description=__doc__.partition('\n')[0])
    parser.add_argument('rows', nargs='*', metavar='ROW', help='names of configs')
    parser.add_argument('--all', action='store_true', help='every config of landmarks')
    parser.add_argument(
        '--rung', choices=RUNGS, default='reduced', help='; '.join(f'{name}: {what}' for name, what in RUNGS.items())
    )
    parser.add_argument('--resume', action='store_true', help='continue an interrupted run of the row')
    options = parser.parse_args()
    rows = [name for name in config_names() if name not in LEFT_OUT] if options.all else options.rows
    if len(rows) != 1:
        more = ['--resume'] if options.resume else []
        commands = ([sys.executable, __file__, row, '--rung', options.rung, *more] for row in rows)
        return max(map(subprocess.call, commands), default=0)
    entry = run(rows[0], options.rung, options.resume)
    print(f'{rows[0]}: NME {entry["NME"]} in {entry["minutes"]} min, {"falls" if entry["falls"] else "does not fall"}')
    return int(not entry['falls'])


if __name__ == '__main__':
    sys.exit(main())
