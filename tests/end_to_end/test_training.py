"""The output and the files of a training run, and its resumption, as in MMPose."""

import json
import re
from pathlib import Path

import pytest
import torch

from facelmk.checkpoint import read_checkpoint

SUBSETS = ['pose', 'expression', 'illumination', 'makeup', 'occlusion', 'blur']
NUMBER = r'[\d.]+(?:e[+-]\d+)?'


def log_of(folder):
    """Return the newest log of a work folder."""
    return max(folder.glob('*/*.log')).read_text()


def losses(text):
    """Return the training losses of a log as text."""
    return re.findall(rf'Epoch\(train\).* loss: ({NUMBER})', text)


def weights(folder, epoch):
    return read_checkpoint(folder / f'epoch_{epoch}.pth')['state_dict']


def test_files_are_where_mmpose_has_them(trained):
    folder, _ = trained
    (stamp,) = (path.name for path in folder.iterdir() if re.fullmatch(r'\d{8}_\d{6}', path.name))
    assert (folder / stamp / f'{stamp}.log').is_file()
    assert (folder / stamp / 'vis_data' / 'scalars.json').is_file()
    assert (folder / 'quickstart.py').is_file()
    assert (folder / 'last_checkpoint').read_text() == 'epoch_2.pth'
    assert {path.name for path in folder.glob('epoch_*.pth')} == {'epoch_1.pth', 'epoch_2.pth'}
    (best,) = folder.glob('best_NME_epoch_*.pth')
    scalars = [json.loads(line) for line in (folder / stamp / 'vis_data' / 'scalars.json').read_text().splitlines()]
    nme = {row['step']: row['NME'] for row in scalars if 'NME' in row}
    assert set(nme) == {1, 2} and best.stem == f'best_NME_epoch_{min(nme, key=nme.get)}'


def test_log_lines_have_the_expected_figures(trained):
    written = log_of(trained[0])
    assert 'Epoch(train) [1][5/5]' in written  # 36 faces in batches of 8
    assert all(part in written for part in ('System environment', 'Hooks will be executed', 'model = dict('))
    line = next(line for line in written.splitlines() if 'Epoch(train) [2]' in line)
    expected = ['lr', 'eta', 'time', 'data_time', *(['memory'] if torch.cuda.is_available() else []), 'loss']
    names = re.findall(r'(\w+): ', line.partition('Epoch(train)')[2])
    assert names[: len(expected)] == expected and len(names) > len(expected)
    assert all(name.startswith('loss_') for name in names[len(expected) :])
    line = next(line for line in written.splitlines() if 'Epoch(val) [2]' in line)
    names = re.findall(r'([\w@./]+): ', line.partition('Epoch(val)')[2])
    assert names[:7] == ['NME', *(f'NME/{subset}' for subset in SUBSETS)]
    assert names[7] == 'FR@0.1' and names[14] == 'AUC@0.1' and names[21:] == ['data_time', 'time']
    assert 10 < float(re.search(rf'NME: ({NUMBER})', line).group(1)) < 200  # per cent


def test_a_training_prints_what_a_person_reads(trained):
    folder, printed = trained
    lines = printed.splitlines()
    assert lines[0].startswith('train quickstart on ') and lines[0].endswith(
        f'writes to {Path("work_dirs/quickstart")}'
    )
    assert lines[1] == '36 faces to train on, 17 faces to validate on; 2 epochs of 5 batches of 8'
    for epoch in (1, 2):
        assert re.match(
            rf'epoch {epoch} of 2  loss {NUMBER}  .* s  NME {NUMBER}( \(best so far\))?  FR@0.1', lines[1 + epoch]
        )
    best = next(folder.glob('best_NME_epoch_*.pth'))
    assert lines[-1].startswith('trained for ') and lines[-1].endswith(best.name)
    assert [line.split()[0] for line in lines[-4:-1]] == ['NME', 'FR@0.1', 'AUC@0.1'] and len(lines) == 9
    assert len(lines) + 4 <= 25  # the quick start has 6 epochs
    assert not re.search(r'mmengine|\d\.\d{5}', printed)  # no line of mmengine's, no figure of six digits


def test_a_resumed_run_ends_with_the_same_weights(trained, tool, tiny, tmp_path):
    folder, _ = trained
    resumed = tool(
        'train.py',
        'quickstart',
        '-v',
        '--work-dir',
        tmp_path,
        '--resume',
        folder / 'epoch_1.pth',
        *tiny(),
        cwd=tmp_path,
    )
    assert losses(log_of(tmp_path)) == losses(log_of(folder))[1:] == losses(resumed)  # -v prints the log, too
    assert 'System environment' in resumed and 'Hooks will be executed' in resumed
    expected, actual = weights(folder, 2), weights(tmp_path, 2)
    assert all(torch.equal(expected[key], actual[key]) for key in expected)


def test_a_finished_run_trains_no_further(trained, tool, tiny):
    folder, _ = trained
    before = (folder / 'epoch_2.pth').stat().st_mtime_ns
    printed = tool('train.py', 'quickstart', '--resume', 'auto', *tiny(), cwd=folder.parents[1])
    assert not losses(log_of(folder)) and 'nothing is left to train' in printed
    assert (folder / 'epoch_2.pth').stat().st_mtime_ns == before


@pytest.mark.slow
@pytest.mark.parametrize('workers', [1, 2])
def test_the_number_of_workers_changes_nothing(workers, trained, tool, tiny, tmp_path):
    """The same seed gives the same faces, augmentations and steps, bit for bit."""
    folder, _ = trained
    again = tool(
        'train.py', 'quickstart', '-v', '--work-dir', tmp_path, '--no-validate', *tiny(workers=workers), cwd=tmp_path
    )
    assert losses(again) == losses(log_of(folder))
    assert all(torch.equal(value, weights(tmp_path, 2)[key]) for key, value in weights(folder, 2).items())
    assert 'Epoch(val)' not in again and not list(tmp_path.glob('best*'))


@pytest.mark.slow
def test_options_of_mmposes_train(tool, tiny, tmp_path):
    printed = tool(
        'train.py',
        '--amp',
        'quickstart',
        '-v',
        '--work-dir',
        'out',
        '--auto-scale-lr',
        '--local-rank',
        '0',
        '--show-dir',
        'drawn',
        '--interval',
        '5',
        '--wait-time',
        '0.1',
        *tiny(epochs=1, **{'auto_scale_lr.base_batch_size': 32}),
        cwd=tmp_path,
    )
    assert 'batch size of 32 and the current batch size is 8. Scaling the original LR by 0.25' in printed
    assert "precision='bf16'" in printed or torch.cuda.is_available()  # of the config in the log
    assert len(list((tmp_path / 'out' / 'drawn').iterdir())) == 4  # faces 1, 6, 11, 16 of 17
