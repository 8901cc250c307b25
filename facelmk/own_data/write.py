"""Write all files of a training on own data: the split, the weights to start from, the config."""

from collections.abc import Callable
from pathlib import Path

from ..checkpoint import save_checkpoint
from ..markups import MARKUPS
from .prepare import prepare
from .recipe import CONFIG, START, recipe, write_config
from .start import new_start, open_model


def write_training(
    source: str,
    folder: Path,
    model: str,
    markup: str | None = None,
    flip_pairs: str | None = None,
    image_root: str | None = None,
    say: Callable[[str], None] = print,
    origin: int | None = None,
) -> Path:
    """Write train.json, val.json, start.pth and config.py into `folder`; return the config."""
    data = prepare(source, folder, markup, flip_pairs, image_root, origin)
    for line in data.lines:
        say(line)
    predictor = open_model(model)
    MARKUPS.add_own(data.markup)  # the config of a checkpoint may describe an older scheme of this name
    start = new_start(predictor, data.markup, data.faces['train'])
    say(f'model: {model}, with {start.origin}')
    save_checkpoint({'state_dict': start.weights}, folder / START)
    counts = ', '.join(f'{len(faces)} {part}' for part, faces in data.faces.items())
    title = f'Written by facelmk train --data {source}: {data.markup.size} points, {counts}; starts from {model}.'
    write_config(recipe(data, start.model, predictor.config, folder), title, folder / CONFIG)
    return folder / CONFIG
