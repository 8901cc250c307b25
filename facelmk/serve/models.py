"""The models that a server offers: those of the command line, and those of the zoo that need no download."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import did_you_mean
from ..inference.runtime import find_exported, find_faster, is_exported, load_exported
from ..inference.stream import PicturePredictor
from ..markups import MARKUPS
from ..zoo import DEFAULT, LANDMARKS, list_models
from ..zoo.index import rows
from ..zoo.listing import is_on_this_machine
from .answers import Refusal

Open = Callable[[str], PicturePredictor]


@dataclass
class ServedModel:
    """A model: its name for clients, what `open` makes of `source`, and the predictor once it was used."""

    name: str
    source: str
    predictor: PicturePredictor | None = field(default=None, repr=False)

    @property
    def markup(self) -> str | None:
        """The landmark scheme of its faces; None if it is not known yet."""
        if self.predictor is not None:
            return self.predictor.face_markup
        scheme = rows()[self.source].get('markup') if self.source in rows() else None
        return scheme and _first_of(scheme)


class ServedModels:
    """Models by name, the default one first. `open_model` returns a predictor; each is opened on first use."""

    def __init__(self, sources: Iterable[str], open_model: Open) -> None:
        self.open_model = open_model
        self.models: dict[str, ServedModel] = {}
        for source in sources:
            name = _unique(_name(source), self.models)
            self.models[name] = ServedModel(name, source)

    @property
    def default(self) -> str:
        """The name of the model of a request that names none."""
        return next(iter(self.models))

    def find(self, name: str | None) -> ServedModel:
        """Return the model of that name; refuse a name that is not offered, whatever file it may be."""
        model = self.models.get(self.default if name is None else name)
        if model is None:
            raise Refusal(400, f'model={str(name)[:100]!r} is not served here. {did_you_mean(str(name), self.models)}')
        return model

    def predictor(self, model: ServedModel) -> PicturePredictor:
        """Return the predictor of a model, opened if it was not used before."""
        if model.predictor is None:
            model.predictor = self.open_model(model.source)
        return model.predictor

    def to_list(self) -> list[dict[str, Any]]:
        """Return names and landmark schemes, for json."""
        return [{'name': model.name, 'markup': model.markup} for model in self.models.values()]


def open_model(source: str, device: str | None = None, detector: str | None = None) -> PicturePredictor:
    """Return the predictor of a model: by ONNX Runtime where there is an exported file of it, otherwise by torch."""
    path = source if is_exported(source) else find_faster(source, device)
    if path is not None:
        return load_exported(path, detector=detector)
    from ..inference import load  # imports torch, which an exported file does not need

    predictor: PicturePredictor = load(source, device=device, detector=detector)
    return predictor


def sources_at_hand(chosen: Sequence[str]) -> list[str]:
    """Return the chosen models, then those of the zoo that can be used without a download.

    Without torch, only exported files can be used.
    """
    has_torch = find_spec('torch') is not None
    zoo = [name for name in list_models() if rows()[name].get('task', LANDMARKS) == LANDMARKS]
    usable = [name for name in zoo if find_exported(name) or (has_torch and is_on_this_machine(name))]
    return list(dict.fromkeys([*(chosen or [DEFAULT]), *usable]))


def _first_of(scheme: str) -> str:
    return MARKUPS[scheme].first or scheme


def _name(source: str) -> str:
    """Return the name of a model for clients; the folder of a file is none of their business."""
    return source if source in rows() else Path(source).stem


def _unique(name: str, names: Iterable[str]) -> str:
    taken, number, unique = set(names), 1, name
    while unique in taken:
        number += 1
        unique = f'{name}-{number}'
    return unique
