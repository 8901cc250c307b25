"""Pointers to checkpoints never lead out of their folder; a copied or moved folder resumes from itself."""

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine import Config
from mmengine.evaluator import BaseMetric
from mmengine.runner import Runner
from toy_runs import Toy, run

from facelmk.checkpoint import save_checkpoint
from facelmk.config import load_config
from facelmk.engine import run as runs
from facelmk.engine.saving import newest
from facelmk.engine.saving.newest import checkpoint_folder, newest_checkpoint
from facelmk.errors import FacelmkError, TrainingFault
from facelmk.files import atomic
from facelmk.files.lock import locked_folder


def checkpoint(path: Path, iteration: int) -> Path:
    """A checkpoint that a run can resume from."""
    state = {'meta': {'epoch': 1, 'iter': iteration}, 'state_dict': {}, 'optimizer': {}}
    save_checkpoint(state, path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A work folder with two checkpoints, beside the folder `other` of another run with a newer one."""
    checkpoint(tmp_path / 'run' / 'epoch_1.pth', 10)
    checkpoint(tmp_path / 'run' / 'epoch_2.pth', 20)
    checkpoint(tmp_path / 'other' / 'epoch_9.pth', 90)
    (tmp_path / 'run' / 'away.pth').symlink_to(tmp_path / 'other' / 'epoch_9.pth')
    (tmp_path / 'run' / 'below').symlink_to(tmp_path / 'other')
    return tmp_path / 'run'


@pytest.mark.fault('M14')
@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('epoch_1.pth', 'epoch_1.pth'),
        ('./epoch_1.pth\n', 'epoch_1.pth'),
        ('{run}/epoch_1.pth', 'epoch_1.pth'),
        ('/where/it/was/before/epoch_1.pth', 'epoch_1.pth'),
        ('C:\\runs\\a\\epoch_1.pth', 'epoch_1.pth'),
        ('{other}/epoch_9.pth', 'epoch_2.pth'),
        ('../other/epoch_9.pth', 'epoch_2.pth'),
        ('below/epoch_9.pth', 'epoch_2.pth'),
        ('away.pth', 'epoch_2.pth'),
        ('..', 'epoch_2.pth'),
        ('/', 'epoch_2.pth'),
        ('', 'epoch_2.pth'),
        ('epoch_1.pth\0', 'epoch_2.pth'),
        ('epoch_3.pth', 'epoch_2.pth'),
        ('~/epoch_9.pth', 'epoch_2.pth'),
        ('x' * 9000, 'epoch_2.pth'),
        ('last_checkpoint', 'epoch_2.pth'),
    ],
)
def test_a_pointer_names_a_file_of_its_folder_or_nothing(text: str, expected: str, folder: Path) -> None:
    text = text.format(run=folder, other=folder.parent / 'other')
    (folder / 'last_checkpoint').write_text(text)
    assert newest_checkpoint(folder) == str(folder / expected)
    (folder.parent / 'link').symlink_to(folder)
    assert newest_checkpoint(folder.parent / 'link') == str(folder.parent / 'link' / expected)


@pytest.mark.fault('M14')
def test_links_to_other_folders_are_not_resumed(folder: Path, monkeypatch) -> None:
    warnings = []
    monkeypatch.setattr(newest, 'print_log', lambda text, *_: warnings.append(text))
    for path in folder.glob('epoch_*.pth'):
        path.unlink()
    assert newest_checkpoint(folder) is None
    checkpoint(folder / 'epoch_1.pth', 10)
    (folder / 'last_checkpoint').symlink_to(folder.parent / 'other' / 'last_checkpoint')
    (folder.parent / 'other' / 'last_checkpoint').write_text(str(folder.parent / 'other' / 'epoch_9.pth'))
    assert newest_checkpoint(folder) == str(folder / 'epoch_1.pth')
    assert str(folder / 'away.pth') in warnings[0] and str(folder / 'last_checkpoint') in warnings[-1]


def without_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a config train that holds a work folder and nothing else."""
    monkeypatch.setattr(runs, 'check_training', lambda *_: None)
    monkeypatch.setattr(runs, 'check_relations_of_training', lambda *_: None)


@pytest.mark.fault('M14')
def test_mmengine_gets_no_pointer_to_follow(tmp_path: Path, monkeypatch) -> None:
    """With resume=True and no checkpoint, mmengine's Runner would read `last_checkpoint` itself."""
    checkpoint(tmp_path / 'other' / 'epoch_9.pth', 90)
    (tmp_path / 'run').mkdir()
    (tmp_path / 'run' / 'last_checkpoint').write_text(str(tmp_path / 'other' / 'epoch_9.pth'))

    def built(config, *_):
        raise KeyError(config.resume, config.get('load_from'))

    without_checks(monkeypatch)
    monkeypatch.setattr(runs, '_build_runner', built)
    with pytest.raises(KeyError) as caught:
        runs.train(Config(dict(work_dir=str(tmp_path / 'run'), resume=True)), 'auto')
    assert caught.value.args == (False, None)


@pytest.mark.fault('M13')
@pytest.mark.parametrize('older', [False, True], ids=['relative', 'absolute, of 0.2'])
@pytest.mark.parametrize('how', [shutil.copytree, shutil.move])
def test_a_copied_or_moved_folder_resumes_from_itself(how, older: bool, tmp_path: Path) -> None:
    run(tmp_path / 'a', 2, max_keep_ckpts=2).train()
    assert (tmp_path / 'a' / 'last_checkpoint').read_text() == 'epoch_2.pth'
    if older:
        (tmp_path / 'a' / 'last_checkpoint').write_text(str(tmp_path / 'a' / 'epoch_2.pth'))
    how(tmp_path / 'a', tmp_path / 'b')
    before = {path.name: path.read_bytes() for path in (tmp_path / 'a').glob('*.pth')}
    copied = newest_checkpoint(tmp_path / 'b')
    assert copied == str(tmp_path / 'b' / 'epoch_2.pth')
    run(tmp_path / 'b', 4, True, copied, max_keep_ckpts=2).train()
    names = sorted(path.name for path in (tmp_path / 'b').glob('epoch_*.pth'))
    assert names == ['epoch_3.pth', 'epoch_4.pth'] and newest_checkpoint(tmp_path / 'b').endswith('b/epoch_4.pth')
    assert before == {path.name: path.read_bytes() for path in (tmp_path / 'a').glob('*.pth')}


class Falling(BaseMetric):
    """Figures that fall with each validation."""

    default_prefix = ''

    def __init__(self, names: list[str], start: float) -> None:
        super().__init__()
        self.names, self.value = names, start

    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results.append(0)

    def compute_metrics(self, results: list) -> dict[str, float]:
        self.value -= 1
        return dict.fromkeys(self.names, self.value)


def train_validated(folder: Path, epochs: int, names: list[str], start: float, load: str | None = None) -> None:
    """Train with a validation after each epoch, and keep the best checkpoints."""
    loader = dict(
        dataset=[dict(inputs=torch.ones(1))] * 2, batch_size=2, sampler=dict(type='DefaultSampler', shuffle=False)
    )
    hook = dict(type='CheckpointHook', interval=1, max_keep_ckpts=2, save_best=names, rule='less')
    Runner(
        Toy(),
        str(folder),
        train_dataloader=loader | dict(collate_fn=dict(type='default_collate')),
        val_dataloader=loader | dict(collate_fn=dict(type='default_collate')),
        val_cfg=dict(),
        val_evaluator=[Falling(names, start)],
        train_cfg=dict(by_epoch=True, max_epochs=epochs, val_interval=1),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        default_scope='facelmk',
        log_level='ERROR',
        default_hooks=dict(checkpoint=hook),
        load_from=load,
        resume=load is not None,
        experiment_name=f'{folder}{epochs}{load}'.replace('/', '_'),
    ).train()


def names_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob('*.pth'))


@pytest.mark.fault('M13', 'M15')
@pytest.mark.parametrize('names', [['NME'], ['NME', 'FR']])
def test_a_copy_replaces_its_own_best_checkpoint(names: list[str], tmp_path: Path) -> None:
    train_validated(tmp_path / 'a', 2, names, 9)
    info = torch.load(tmp_path / 'a' / 'epoch_2.pth', weights_only=True)['message_hub']['runtime_info']
    pointers = {key: value for key, value in info.items() if key.startswith(('best_ckpt', 'last_ckpt'))}
    assert len(pointers) == len(names) + 1 and not any('/' in value for value in pointers.values())
    before = names_of(tmp_path / 'a')
    assert before == sorted([f'best_{name}_epoch_2.pth' for name in names] + ['epoch_1.pth', 'epoch_2.pth'])
    shutil.copytree(tmp_path / 'a', tmp_path / 'b')
    train_validated(tmp_path / 'b', 3, names, 5, newest_checkpoint(tmp_path / 'b'))
    assert names_of(tmp_path / 'a') == before
    assert names_of(tmp_path / 'b') == [name.translate({49: 50, 50: 51}) for name in before]  # 1 to 2, 2 to 3
    train_validated(tmp_path / 'c', 3, names, 5, str(tmp_path / 'a' / 'epoch_2.pth'))  # --resume of another folder
    assert names_of(tmp_path / 'a') == before


@pytest.mark.fault('M15')
def test_a_checkpoint_of_a_stranger_deletes_nothing_elsewhere(tmp_path: Path) -> None:
    train_validated(tmp_path / 'a', 2, ['NME'], 9)
    victims = [tmp_path / 'mine.pth', tmp_path / 'epoch_' / 'mine.pth', tmp_path / 'a' / 'epoch_x' / 'mine.pth']
    for path in victims:
        path.parent.mkdir(exist_ok=True)
        path.write_text('mine')
    path = tmp_path / 'a' / 'epoch_2.pth'
    saved = torch.load(path, weights_only=True)
    numbers = ['x/../../mine', 'x/mine', '/../../epoch_/mine', str(tmp_path / 'mine'), 1, 2]
    saved['message_hub']['runtime_info'] |= {'best_ckpt': str(victims[0]), 'keep_ckpt_ids': numbers}
    torch.save(saved, path)
    train_validated(tmp_path / 'a', 3, ['NME'], 5, str(path))
    assert all(path.read_text() == 'mine' for path in victims)


@pytest.mark.fault('M13')
def test_checkpoints_in_another_folder_are_resumed(tmp_path: Path) -> None:
    """CheckpointHook.out_dir: the pointer is there, too."""
    config = dict(work_dir=str(tmp_path / 'run'), default_hooks=dict(checkpoint=dict(out_dir=str(tmp_path / 'disk'))))
    run(tmp_path / 'run', 2, out_dir=str(tmp_path / 'disk')).train()
    folder = checkpoint_folder(config)
    assert folder == tmp_path / 'disk' / 'run' and newest_checkpoint(folder) == str(folder / 'epoch_2.pth')
    assert checkpoint_folder(config | {'default_hooks': None}) == tmp_path / 'run'
    (tmp_path / 'disk').rename(tmp_path / 'another')
    assert newest_checkpoint(tmp_path / 'another' / 'run') == str(tmp_path / 'another' / 'run' / 'epoch_2.pth')


@pytest.mark.fault('M09')
def test_a_training_in_a_folder_in_use_changes_nothing(tmp_path: Path, monkeypatch) -> None:
    checkpoint(tmp_path / 'epoch_1.pth', 10)
    (tmp_path / 'last_checkpoint').write_text('epoch_1.pth')
    without_checks(monkeypatch)
    monkeypatch.setattr(runs, '_build_runner', lambda *_: pytest.fail('it has started'))
    config = Config(dict(work_dir=str(tmp_path)))
    with locked_folder(tmp_path, runs.TRAIN_LOCK):
        before = {path: path.read_bytes() for path in tmp_path.iterdir()}
        for resume in (None, 'auto'):
            with pytest.raises(FacelmkError, match=str(os.getpid())) as caught:
                runs.train(config, resume)
            assert caught.value.exit_code == 2
        assert before == {path: path.read_bytes() for path in tmp_path.iterdir()}


@pytest.mark.fault('M09')
@pytest.mark.parametrize(
    ('launcher', 'variables'),
    [
        ('pytorch', ['RANK', 'WORLD_SIZE']),
        ('slurm', ['SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID']),
        ('mpi', ['OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_RANK']),
    ],
)
def test_only_the_first_rank_has_the_lock(launcher: str, variables: list[str], tmp_path: Path, monkeypatch) -> None:
    locked = []
    for variable in variables:
        monkeypatch.setenv(variable, '2')
    without_checks(monkeypatch)
    monkeypatch.setattr(runs, '_build_runner', lambda *_: locked.append((tmp_path / runs.TRAIN_LOCK).exists()) or 1 / 0)
    (tmp_path / 'last_checkpoint').write_text('epoch_1.pth')
    for rank, pointer in ((1, True), (0, False)):
        monkeypatch.setenv(variables[0], str(rank))
        with pytest.raises(ZeroDivisionError):
            runs.train(Config(dict(work_dir=str(tmp_path))), None, launcher=launcher)
        assert (tmp_path / 'last_checkpoint').exists() == pointer
    assert locked == [False, True]


@pytest.mark.fault('M16')
def test_a_disk_that_is_full_at_the_start_is_a_training_fault(tmp_path: Path, monkeypatch, capfd) -> None:
    """The Runner writes its log and its config before training starts."""
    monkeypatch.setattr(atomic, 'commit', lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, 'No space left')))
    config = load_config('quickstart', {'work_dir': str(tmp_path / 'run'), 'train_dataloader.dataset.cache': None})
    with pytest.raises(TrainingFault, match='No space left'):
        runs.train(config)
    assert 'Traceback' not in ''.join(capfd.readouterr())
