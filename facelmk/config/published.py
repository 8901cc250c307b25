"""Published weights: the `result` of a config has their address and hash."""

from ..errors import MissingResource
from ..registry import FUNCTIONS
from .load import config_names, load_config


@FUNCTIONS.register_module()
def published_weights(name: str) -> tuple[str, str] | None:
    """Address and sha256 ('' if unknown) of the weights of the config `name`; None if there is no such config."""
    if name not in config_names():
        return None
    result = load_config(name).get('result', {})
    if 'checkpoint' not in result:
        page = f'. Download them from {result["checkpoint_page"]}' if 'checkpoint_page' in result else ''
        raise MissingResource(f'the config {name} has no address of published weights{page}. Give a path or a URL')
    return result['checkpoint'], result.get('sha256', '')
