"""The options that choose precision, memory layout and compilation: the entry `speed` of a config."""

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import FacelmkError, did_you_mean
from .options import from_hrnet

if TYPE_CHECKING:
    from mmengine import Config

PRECISIONS = ('bf16', 'fp16')
AUTO = 'auto'  # --amp without a precision


def add_speed(parser: argparse.ArgumentParser, training: bool = False) -> None:
    """--fast, --amp, --channels-last, --compile; in training --fused and --keep-memory, too."""
    what = 'precision, memory layout and optimizer' if training else 'precision and memory layout'
    parser.add_argument(
        '--fast', action='store_true', default=None, help=f'measure which {what} are the fastest here, and use them'
    )
    parser.add_argument(
        '--amp',
        nargs='?',
        const=AUTO,
        type=_precision,
        metavar='bf16|fp16',
        help='mixed precision, also on a CPU (default: bf16; fp16 on a GPU without it)',
    )
    parser.add_argument(
        '--channels-last', action='store_true', default=None, help='keep the channels of a pixel together in memory'
    )
    parser.add_argument(
        '--compile',
        action='store_true',
        default=None,
        help='compile the network with torch.compile, which takes a minute',
    )
    if training:
        parser.add_argument('--fused', action='store_true', default=None, help='use the fused form of the optimizer')
        parser.add_argument(
            '--keep-memory',
            action=argparse.BooleanOptionalAction,
            help='keep freed memory in the process, which saves page faults and takes some memory (default on a CPU)',
        )


def _precision(text: str) -> str:
    if text not in (*PRECISIONS, AUTO):
        raise FacelmkError(f'--amp={text}: {did_you_mean(text, PRECISIONS)} Expected {" or ".join(PRECISIONS)}')
    return text


def words_of_amp(words: Sequence[str]) -> list[str]:
    """Write `--amp CONFIG` as `--amp=auto CONFIG`: the word after --amp need not be its precision."""
    return [
        f'{word}={AUTO}' if word == '--amp' and not {*PRECISIONS}.intersection(words[i + 1 : i + 2]) else word
        for i, word in enumerate(words)
    ]


def words_of_other_tools(words: Sequence[str]) -> list[str]:
    """Translate the options of the original HRNet, and those of MMPose."""
    return words_of_amp(from_hrnet(words))


def chooses_speed(options: argparse.Namespace) -> bool:
    """Whether an option changes how a network computes, which an exported file does not let one choose."""
    return any((options.fast, options.amp, options.channels_last, options.compile))


def chosen_speed(options: argparse.Namespace) -> dict[str, Any]:
    """Return the switches that the command line sets."""
    names = ('fast', 'channels_last', 'compile', 'fused', 'keep_memory')
    chosen = {name: getattr(options, name, None) for name in names}
    if options.amp is not None:
        chosen['precision'] = options.amp if options.amp in PRECISIONS else _precision_here(options)
    return {name: value for name, value in chosen.items() if value is not None}


def _precision_here(options: argparse.Namespace) -> str:
    from ..engine.speed import half_precision  # imports torch, which --help does not need
    from ..inference.load import find_device

    return half_precision(find_device(getattr(options, 'device', None)))


def put_speed(config: 'Config', options: argparse.Namespace) -> None:
    """Put the switches of the command line into a config."""
    chosen = chosen_speed(options)
    if chosen:
        before: Mapping[str, Any] = config.get('speed') or {}
        config['speed'] = {**before, **chosen}
