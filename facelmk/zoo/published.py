"""Weights by the name of their model, for `facelmk.checkpoint`, which imports neither configs nor the zoo."""

from pathlib import Path

from ..checkpoint import Address
from ..config import config_names
from ..errors import MissingResource
from ..registry import NAMED_WEIGHTS
from .index import is_model
from .model import find_model


@NAMED_WEIGHTS.register_module()
class PublishedWeights:
    """The weights of the models of the zoo."""

    def find(self, name: str) -> Path | Address | None:
        """Return the file or address of a model's weights; None if neither the zoo nor a config has that name."""
        if is_model(name):
            found: Path | Address = find_model(name).weights()
            return found
        if name in config_names():
            raise MissingResource(
                f'the config {name} publishes no weights. Give the path or URL of a checkpoint that was trained with '
                f'it, or train one: facelmk train {name}'
            )
        return None
