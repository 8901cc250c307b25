"""facelmk train --data DIR|FILE: from own annotations to a config, before the training; the result after it."""

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import FacelmkError, MissingResource
from .options import add_origin, check_checkpoint

if TYPE_CHECKING:
    from mmengine import Config

    from ..report.paired import FaceErrors

DEFAULT_MODEL = 'facelmk_nano'  # written again: the zoo's index is a file, which --help does not need
CALIBRATED, CALIBRATION = 'calibrated.pth', 'model.calibration.type=ErrorCalibration'
OPTIONS = ('model', 'markup', 'flip_pairs', 'image_root', 'origin')  # of own data alone


def add_own_data(parser: argparse.ArgumentParser) -> None:
    """The options of a training on own data."""
    group = parser.add_argument_group(
        'your own annotations', 'facelmk train --data DIR|FILE, without CONFIG, trains on them'
    )
    group.add_argument(
        '--model',
        metavar='NAME',
        help=f'the model to start from: a name of `facelmk models list`, or a checkpoint (default: {DEFAULT_MODEL})',
    )
    group.add_argument('--markup', metavar='NAME', help='the landmark scheme (default: found by the points)')
    group.add_argument(
        '--flip-pairs',
        metavar='A:B,C:D',
        help='points that change places in a mirrored face, by name or index; none: never mirror (default: by name)',
    )
    group.add_argument('--image-root', metavar='DIR', help='the folder of the pictures (default: searched)')
    add_origin(group)


def check_own_options(options: argparse.Namespace) -> None:
    """Refuse options that belong to the other way of training, before torch is imported."""
    if options.config is not None:
        if Path(options.config).is_dir() and options.data is None:
            raise FacelmkError(
                f'{options.config} is a folder, and no config. For annotations of your own, write facelmk train '
                f'--data {options.config}'
            )
        if used := next((name for name in OPTIONS if getattr(options, name) is not None), None):
            raise FacelmkError(
                f'--{used.replace("_", "-")} belongs to a training on your own annotations, and {options.config} is a '
                'config, which names its own. Leave one of them out'
            )
        return
    if options.data is None:
        raise FacelmkError(
            'facelmk train needs a config, or --data with annotations of your own. Write facelmk train CONFIG or '
            'facelmk train --data DIR|FILE'
        )
    if options.launcher != 'none':
        raise FacelmkError(
            f'--launcher {options.launcher} needs a config. Start facelmk train --data {options.data} once without it, '
            'stop it after its first lines, then train the config.py of the work folder with the launcher'
        )
    if not Path(options.data).expanduser().exists():
        raise MissingResource(f'--data {options.data} is not there (from {Path.cwd()})')
    if options.model is not None:
        from ..inference.names import check_start

        check_start(options.model)
    else:
        check_checkpoint(DEFAULT_MODEL)


def work_folder(options: argparse.Namespace) -> Path:
    """Return the work folder: that of --work-dir, or work_dirs/NAME by the name of the file or folder."""
    path = Path(options.data).expanduser().absolute()
    return Path(options.work_dir or Path('work_dirs', path.stem if path.is_file() else path.name))


def own_config(options: argparse.Namespace) -> Path:
    """Return the config of a training on own data; it is written anew unless the training is resumed."""
    from ..config.folders import check_writable

    folder = work_folder(options)
    check_writable(folder)
    from ..own_data.recipe import CONFIG

    if options.resume is not None and (folder / CONFIG).is_file():
        return folder / CONFIG
    from ..own_data.write import write_training

    return write_training(
        options.data,
        folder,
        options.model or DEFAULT_MODEL,
        options.markup,
        options.flip_pairs,
        options.image_root,
        say,
        options.origin,
    )


def report_start(config: 'Config') -> 'FaceErrors':
    """Measure the validation faces before the training, and say so."""
    from ..own_data.measure import describe, measure

    errors = measure(config, config.load_from)
    say(f'before training: {describe(errors)}')
    return errors


def report_end(config: 'Config', file: Path, start: 'FaceErrors', best: str) -> None:
    """Say what the training gained, and which commands come next."""
    from ..own_data.measure import compare, measure, verdict
    from ..registry import CODECS

    say(verdict(compare(start, measure(config, best))))
    say('next:')
    words = [str(file), best, '--report', str(file.parent / 'report'), '--detail']
    say(f'  facelmk test {shlex.join(words)}')
    say(f'  facelmk predict PICTURES --model {shlex.quote(best)}')
    if getattr(CODECS.get(config.model.codec.type), 'has_spread', False):  # a calibration needs it
        words = [str(file), best, '--out', str(file.parent / CALIBRATED), '--cfg-options', CALIBRATION]
        say(f'  facelmk calibrate fit {shlex.join(words)}')


def say(text: str) -> None:
    """Print one line for the user."""
    print(text, flush=True)
