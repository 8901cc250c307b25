"""Where the figures of a run are also written: TensorBoard, Weights & Biases, MLflow, through mmengine's backends."""

import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import MissingResource

BACKENDS = {  # mmengine's backend by the name of its package, which is also the name of the logger
    'tensorboard': 'TensorboardVisBackend',
    'wandb': 'WandbVisBackend',
    'mlflow': 'MLflowVisBackend',
}


def check_loggers(names: Iterable[str], source: str = '--logger') -> None:
    """Refuse loggers whose package is not installed."""
    missing = [name for name in dict.fromkeys(names) if importlib.util.find_spec(name) is None]
    if missing:
        needs = 'needs the package' if len(missing) == 1 else 'need the packages'
        raise MissingResource(
            f'{source} {" ".join(missing)} {needs} {" and ".join(missing)}, not installed here. Run: pip install -e '
            f'".[{",".join(missing)}]" in the clone, or pip install {" ".join(missing)}'
        )


def check_backends(config: Mapping[str, Any]) -> None:
    """Refuse backends of a config whose package is not installed."""
    backends = (config.get('visualizer') or {}).get('vis_backends') or ()
    parts = [backends] if isinstance(backends, Mapping) else backends
    types = {str(part.get('type')).rpartition('.')[2] for part in parts if isinstance(part, Mapping)}
    check_loggers([name for name, backend in BACKENDS.items() if backend in types], 'visualizer.vis_backends:')


def add_loggers(config: Any, names: Sequence[str]) -> None:
    """Add the backends of loggers to a config."""
    visualizer = config.get('visualizer') or {'type': 'Visualizer', 'vis_backends': [{'type': 'LocalVisBackend'}]}
    given = visualizer.get('vis_backends') or ()
    backends = [given] if isinstance(given, Mapping) else list(given)
    types = {str(part['type']).rpartition('.')[2] for part in backends}
    backends += [{'type': BACKENDS[name]} for name in dict.fromkeys(names) if BACKENDS[name] not in types]
    config['visualizer'] = {**visualizer, 'vis_backends': backends}
