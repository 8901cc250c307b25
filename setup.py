"""Adds configs/ to the package, as facelmk.configs. Everything else stands in pyproject.toml."""

from setuptools import find_namespace_packages as folders
from setuptools import setup

configs = ['facelmk.configs', *(f'facelmk.configs.{name}' for name in folders('configs'))]
setup(packages=folders(include=['facelmk*']) + configs, package_dir={'facelmk.configs': 'configs'})
