"""A project with its own parts trains and tests with the tools; facelmk is not changed."""

import ast
import json
import re
import shutil
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1] / 'downstream'


@pytest.fixture(scope='module')
def project(tmp_path_factory):
    """A copy of the project in a folder of its own."""
    return shutil.copytree(PROJECT, tmp_path_factory.mktemp('elsewhere') / 'project')


@pytest.mark.slow
def test_every_kind_of_part_can_come_from_the_project(project, tool):
    tool('train.py', 'configs/nine.py', '--work-dir', 'out', '--cfg-options', 'randomness.seed=0', cwd=project)
    printed = tool('test.py', 'configs/nine.py', 'out/epoch_6.pth', '--work-dir', 'tested', cwd=project)
    log = next(project.glob('out/*/*.log')).read_text()
    assert 'nine: 384 faces seen' in log and 'loss_far:' in log  # its hook and its loss
    metrics = json.loads((project / 'tested' / 'metrics.json').read_text())['metrics']
    assert list(metrics) == ['NME', 'NME/large', 'worst', 'worst/large']  # its metric and its data set's subset
    assert 2 < metrics['NME'] < 15 and metrics['worst'] > metrics['NME']  # untrained: 35
    assert 'worst' in printed
    again = tool(
        'train.py',
        'configs/nine.py',
        '-v',
        '--work-dir',
        'again',
        '--resume',
        'out/epoch_3.pth',
        '--cfg-options',
        'randomness.seed=0',
        cwd=project,
    )
    ends = [re.findall(r'Epoch\(train\) \[6\].*lr: (\S+).* loss: (\S+)', text) for text in (log, again)]
    assert ends[0] == ends[1] and len(ends[0]) == 1  # OneCycleLR resumes although it keeps functions in checkpoints
    assert any(path.name.startswith('best_NME_epoch') for path in (project / 'out').iterdir())


def test_base_strings_work(project, tool):
    printed = tool('train.py', 'configs/nine_strings.py', '-v', '--work-dir', 'plain', cwd=project)
    assert 'loss_smoothl1:' in printed and 'worst:' in printed
    assert (project / 'plain' / 'epoch_2.pth').is_file()
    # the run's own copy of its config is a config
    tool('test.py', 'plain/nine_strings.py', 'plain/epoch_2.pth', '--work-dir', 'again', cwd=project)


def test_outside_of_its_folder_the_error_names_pythonpath(project, tool, tmp_path):
    printed = tool('train.py', project / 'configs' / 'nine.py', cwd=tmp_path, code=2)
    assert 'nine' in printed and 'PYTHONPATH' in printed and 'Traceback' not in printed


def test_the_project_imports_public_modules_only():
    for file in PROJECT.rglob('*.py'):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in getattr(node, 'names', ()) if isinstance(node, ast.ImportFrom)]
            assert not any(name.startswith('_') for name in names), file
