"""MMPose's own config files: those of 1.x are translated, those of 0.x are refused with the config to use."""

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...config.foreign import ConfigFormat
from ...config.source import ConfigSource
from ...errors import FacelmkError
from ...registry import CONFIG_FORMATS
from .. import mmpose_parts
from ..aliases import candidates

MODEL = 'TopdownPoseEstimator'
_MODEL_OF_0 = re.compile(r"\btype\s*=\s*(['\"]?)(TopDown)\1(?!\w)")
log = logging.getLogger(__name__)


@CONFIG_FORMATS.register_module()
class MMPoseConfigs(ConfigFormat):
    """Config files of MMPose."""

    def refuse(self, path: Path, text: str) -> None:
        """Refuse a config of MMPose 0.x; name the config to use."""
        if path.suffix == '.py' and (match := _MODEL_OF_0.search(text)):
            ours = next(iter(candidates(path).values()), None)
            advice = (
                f'Give {ours} in its place: the same data and network'
                if ours
                else 'Start from a similar config here (facelmk config show NAME)'
            )
            raise FacelmkError(
                f'{path} is a config of MMPose 0.x ({match[0]}), whose format is not read here. {advice}. Put your own '
                'changes into a config based on it or behind --cfg-options; docs/moving.md lists the names'
            )

    def translate(self, values: Mapping[str, Any], source: ConfigSource) -> dict[str, Any] | None:
        """The config of facelmk that does the same as a config of MMPose 1.x; None for all other files."""
        if model_of(values) != MODEL and values.get('default_scope') != 'mmpose':
            return None
        from .translate import translate  # imports all data sets, which only these files need

        config = translate(dict(values), source)
        log.warning(
            '%s: a config of MMPose, translated. facelmk config translate %s prints what runs; --cfg-options name keys '
            'of that',
            *(source, source),
        )
        return config

    def replacement(self, name: str) -> str | None:
        return mmpose_parts.replacement(name)

    def key_replacement(self, key: str) -> str | None:
        return mmpose_parts.key_replacement(key)


def model_of(values: Mapping[str, Any]) -> str:
    """The class of a config's model, without its package."""
    model = values.get('model')
    kind = model.get('type') if isinstance(model, Mapping) else None
    name = kind if isinstance(kind, str) else getattr(kind, 'dump_str', getattr(kind, '__name__', ''))
    return str(name).rpartition('.')[2]
