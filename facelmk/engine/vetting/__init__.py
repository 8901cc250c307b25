"""`config check`: what would go wrong with a config, found before a run starts."""

from .vet import exit_code, vet

__all__ = ['exit_code', 'vet']
