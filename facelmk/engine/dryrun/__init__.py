"""`config check`: what would go wrong with a config, found before a run starts."""

from .check import check_config, exit_code

__all__ = ['check_config', 'exit_code']
