"""Where the figures of a run are also written: TensorBoard, Weights & Biases, MLflow, through mmengine's backends."""

import importlib.util
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import MissingResource

BACKENDS = {  # mmengine's backend by the name of its package, which is also the name of the logger
    'tensorboard': 'TensorboardVisBackend',
    'wandb': 'WandbVisBackend',
    'mlflow': 'MLflowVisBackend',
}
OTHER_BACKENDS = {  # which a config may name; no extra of facelmk installs their packages
    'clearml': 'ClearMLVisBackend',
    'neptune': 'NeptuneVisBackend',
    'dvclive': 'DVCLiveVisBackend',
    'aim': 'AimVisBackend',
}
SETTINGS = {  # variables of these packages, unless the user has set them
    'wandb': {'WANDB_QUIET': 'true'},  # else it prints all figures at the end
    'mlflow': {'MLFLOW_ALLOW_FILE_STORE': 'true'},  # mmengine's backend writes files, which MLflow 3 refuses without it
}
MLFLOW_SERVER = 'MLFLOW_TRACKING_URI'  # MLflow's own variable, which mmengine's backend does not read


def check_loggers(names: Iterable[str], source: str = '--logger') -> None:
    """Refuse loggers whose package is not installed."""
    missing = [name for name in dict.fromkeys(names) if importlib.util.find_spec(name) is None]
    if not missing:
        return
    needs = 'needs the package' if len(missing) == 1 else 'need the packages'
    extras = ','.join(name for name in missing if name in BACKENDS)
    clone = f'pip install -e ".[{extras}]" in the clone, or ' if extras else ''
    raise MissingResource(
        f'{source} {" ".join(missing)} {needs} {" and ".join(missing)}, not installed here. Run: {clone}pip install '
        f'{" ".join(missing)}'
    )


def check_backends(config: Mapping[str, Any]) -> None:
    """Refuse backends of a config whose package is not installed."""
    backends = (config.get('visualizer') or {}).get('vis_backends') or ()
    parts = [backends] if isinstance(backends, Mapping) else backends
    types = {str(part.get('type')).rpartition('.')[2] for part in parts if isinstance(part, Mapping)}
    known = BACKENDS | OTHER_BACKENDS
    check_loggers([name for name, backend in known.items() if backend in types], 'visualizer.vis_backends:')


def add_loggers(config: Any, names: Sequence[str]) -> None:
    """Add the backends of loggers to a config."""
    visualizer = config.get('visualizer') or {'type': 'Visualizer', 'vis_backends': [{'type': 'LocalVisBackend'}]}
    given = visualizer.get('vis_backends') or ()
    backends = [given] if isinstance(given, Mapping) else list(given)
    types = {str(part['type']).rpartition('.')[2] for part in backends}
    backends += [_backend(name) for name in dict.fromkeys(names) if BACKENDS[name] not in types]
    config['visualizer'] = {**visualizer, 'vis_backends': backends}


def _backend(name: str) -> dict[str, str]:
    for variable, value in SETTINGS.get(name, {}).items():
        os.environ.setdefault(variable, value)
    server = os.environ.get(MLFLOW_SERVER) if name == 'mlflow' else None
    return {'type': BACKENDS[name]} | ({'tracking_uri': server} if server else {})
