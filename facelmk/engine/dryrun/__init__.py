"""`facelmk config check`: everything that a run would do, without training."""

from .check import check_config, exit_code

__all__ = ['check_config', 'exit_code']
