"""Installs facelmk: the package, its configs (as facelmk.configs) and the `facelmk` command."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent


def needs(name: str) -> list[str]:
    """The lines of requirements/NAME.txt that name a package."""
    lines = (HERE / 'requirements' / f'{name}.txt').read_text(encoding='utf-8').splitlines()
    return [line for line in map(str.strip, lines) if line and not line.startswith('#')]


def config_packages() -> list[str]:
    """configs/ and the folders below it, as they are called once they are installed."""
    folders = sorted({path.parent.relative_to(HERE / 'configs') for path in (HERE / 'configs').rglob('*.py')})
    return ['.'.join(('facelmk', 'configs', *folder.parts)) for folder in folders]


setup(
    name='facelmk',
    version=re.search(r"__version__ = '(.+)'", (HERE / 'facelmk/__init__.py').read_text(encoding='utf-8')).group(1),
    description='Facial landmarks: data, networks, training and testing, on mmengine',
    long_description=(HERE / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    license_files=['LICENSE'],
    classifiers=[
        'Programming Language :: Python :: 3.10',
        'Programming Language :: Python :: 3.11',
        'Topic :: Scientific/Engineering :: Image Recognition',
    ],
    keywords='face landmarks alignment keypoints pytorch mmengine',
    python_requires='>=3.10',
    packages=find_packages(include=['facelmk', 'facelmk.*']) + config_packages(),
    package_dir={'facelmk.configs': 'configs'},
    package_data={'facelmk': ['py.typed']},
    install_requires=needs('runtime'),
    extras_require={
        'mat': ['h5py>=3.8', 'scipy>=1.10'],
        'tensorboard': ['tensorboard>=2.14'],
        'timm': ['timm>=0.9'],
        'tests': needs('tests'),
        'docs': needs('docs'),
        'all': needs('optional'),
    },
    entry_points={'console_scripts': ['facelmk = facelmk.cli:main']},
    zip_safe=False,
)
