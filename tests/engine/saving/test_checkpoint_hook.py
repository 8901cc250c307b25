"""Failed saves lose no checkpoint, damaged files are skipped, weights that are not finite are not written."""

import errno
import fractions
from pathlib import Path

import pytest
import torch
from mmengine import Config
from toy_runs import run

from facelmk.checkpoint import save_checkpoint
from facelmk.engine import run as runs
from facelmk.engine.saving.newest import newest_checkpoint
from facelmk.errors import FacelmkError, TrainingFault
from facelmk.files import atomic


@pytest.mark.fault('G15', 'G16')
@pytest.mark.parametrize('number', range(10))
def test_a_full_disk_loses_no_checkpoint(number, tmp_path, monkeypatch):
    """The disk becomes full at one of the writes of a run that keeps one checkpoint."""
    commit, writes = atomic.commit, []

    def failing(file, path):
        writes.append(path)
        if len(writes) == 3 + number % 6:
            raise OSError(errno.ENOSPC, 'No space left on device')
        commit(file, path)

    monkeypatch.setattr(atomic, 'commit', failing)
    with pytest.raises(TrainingFault, match=r'No space left.*MiB are free'):
        run(tmp_path, epochs=6, max_keep_ckpts=1).train()
    newest = newest_checkpoint(tmp_path)
    assert newest is not None and torch.load(newest, weights_only=True)['meta']['epoch'] >= 1
    last = tmp_path / (tmp_path / 'last_checkpoint').read_text()
    assert last.is_file() and torch.load(last, weights_only=True)['optimizer']
    assert not list(tmp_path.glob('.*'))
    monkeypatch.undo()
    run(tmp_path, epochs=6, resume=True, load=newest, max_keep_ckpts=1).train()
    assert torch.load(newest_checkpoint(tmp_path), weights_only=True)['meta']['epoch'] == 6


@pytest.mark.fault('G15', 'G16')
@pytest.mark.parametrize('tenth', range(1, 11))
def test_a_file_size_limit_loses_no_checkpoint(tenth, tmp_path):
    """The system refuses to write more than some tenths of a file."""
    resource = pytest.importorskip('resource', reason='this system limits no files')
    run(tmp_path, epochs=2, max_keep_ckpts=1).train()
    good = tmp_path / 'epoch_2.pth'
    before = good.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) * tenth // 10 - 1, limits[1]))
    try:
        with pytest.raises(TrainingFault, match=r'File too large.*epoch_2\.pth'):
            run(tmp_path, epochs=4, resume=True, load=str(good), max_keep_ckpts=1).train()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert good.read_bytes() == before and newest_checkpoint(tmp_path) == str(good)
    assert sorted(path.name for path in tmp_path.glob('*.pth*')) == ['epoch_2.pth']
    run(tmp_path, epochs=4, resume=True, load=str(good), max_keep_ckpts=1).train()
    assert torch.load(newest_checkpoint(tmp_path), weights_only=True)['meta']['epoch'] == 4


def test_a_failed_save_can_be_a_warning(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, 'commit', lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, 'full')))
    run(tmp_path, on_failed_save='warn').train()
    assert newest_checkpoint(tmp_path) is None


@pytest.mark.fault('G17')
def test_the_newest_complete_checkpoint_is_used(tmp_path, capfd):
    run(tmp_path).train()
    content = (tmp_path / 'epoch_3.pth').read_bytes()
    assert newest_checkpoint(tmp_path) == str(tmp_path / 'epoch_3.pth')
    (tmp_path / 'epoch_3.pth').write_bytes(content[: len(content) // 2])
    (tmp_path / 'epoch_1.pth').touch()  # the newest by its time
    assert newest_checkpoint(tmp_path) == str(tmp_path / 'epoch_2.pth')
    offset = content.index(b'archive') if b'archive' in content else 200
    flipped = bytearray(content)
    flipped[offset + 400] ^= 255
    (tmp_path / 'epoch_3.pth').write_bytes(flipped)
    assert newest_checkpoint(tmp_path) == str(tmp_path / 'epoch_2.pth')
    save_checkpoint({'state_dict': {'a': torch.ones(1)}}, tmp_path / 'epoch_9.pth')  # not of a run
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_9.pth'))
    assert newest_checkpoint(tmp_path) == str(tmp_path / 'epoch_2.pth')


def test_a_longer_schedule_is_followed(tmp_path):
    """mmengine restores the end of the old schedule, so that the rate stays at its last value."""

    def cosine(epochs):
        return [dict(type='CosineAnnealingLR', T_max=epochs, end=epochs, eta_min=0.0, convert_to_iter_based=True)]

    run(tmp_path / 'a', 2, scheduler=cosine(2)).train()
    longer = run(tmp_path / 'a', 4, True, str(tmp_path / 'a' / 'epoch_2.pth'), cosine(4))
    rates = []
    step = longer.call_hook

    def watch(name, **options):
        if name == 'before_train_iter':
            rates.append(longer.optim_wrapper.get_lr()['lr'][0])
        step(name, **options)

    longer.call_hook = watch
    longer.train()
    expected = [0.05 * (1 + torch.cos(torch.tensor(torch.pi * i / 8))) for i in range(4, 8)]
    assert rates == pytest.approx([float(value) for value in expected], abs=1e-8)


@pytest.mark.fault('D26')
def test_a_checkpoint_of_a_newer_format_is_refused(tmp_path):
    run(tmp_path, 1).train()
    path = tmp_path / 'epoch_1.pth'
    saved = torch.load(path, weights_only=True)
    torch.save(saved | {'facelmk_format': 1 + saved['facelmk_format']}, path)
    assert newest_checkpoint(tmp_path) == str(path)  # an older one would silently undo what was trained
    with pytest.raises(FacelmkError, match=r'epoch_1\.pth .*format 2.*format 1'):
        run(tmp_path, 2, True, str(path)).train()


def test_an_optimizer_state_with_an_object_is_refused(tmp_path):
    run(tmp_path, 1).train()
    path = tmp_path / 'epoch_1.pth'
    saved = torch.load(path, weights_only=True)
    saved['optimizer']['state'][0] = {'step': fractions.Fraction(1, 2)}
    torch.save(saved, path)
    with pytest.raises(FacelmkError, match=r"checkpoint\['optimizer'\].*is a fractions\.Fraction"):
        run(tmp_path, 2, True, str(path)).train()


def test_a_run_without_checkpoints_starts_from_load_from(tmp_path, monkeypatch):
    """--resume in an empty work folder is a first start; it must not drop the start weights of the config."""

    def built(config, *_):
        raise KeyError(config.load_from, config.get('resume', False))

    monkeypatch.setattr(runs, '_build_runner', built)
    monkeypatch.setattr(runs, 'check_training', lambda *_: None)
    with pytest.raises(KeyError) as caught:
        runs.train(Config(dict(work_dir=str(tmp_path), load_from='start.pth')), 'auto')
    assert caught.value.args == ('start.pth', False)


def test_a_restart_resumes_only_checkpoints_of_the_same_run(tmp_path, monkeypatch):
    """torchrun restarts a command after a rank died, perhaps before that run has saved anything."""

    class Built(Exception):
        pass

    def chosen(count, resume=None):
        """The checkpoint that a start would load, without building the Runner."""
        config = Config(dict(work_dir=str(tmp_path)))
        monkeypatch.setenv('TORCHELASTIC_RESTART_COUNT', str(count))
        with pytest.raises(Built):
            runs.train(config, resume)
        return config.get('load_from')

    def stop(*_):
        raise Built

    monkeypatch.setattr(runs, '_build_runner', stop)
    monkeypatch.setattr(runs, 'check_training', lambda *_: None)
    run(tmp_path, 2).train()  # of another run
    first, last = (str(tmp_path / f'epoch_{number}.pth') for number in (1, 2))
    assert chosen(0, 'auto') == chosen(1) == chosen(1, 'auto') == last
    assert chosen(0, first) == chosen(1, first) == first
    assert chosen(0) is None and chosen(1) is None
    (tmp_path / 'last_checkpoint').write_text(first)
    assert chosen(1) == chosen(2, last) == first
    assert chosen(0, 'auto') == first


def test_rollback_ignores_checkpoints_of_another_run(tmp_path):
    run(tmp_path / 'a').train()
    (tmp_path / 'a' / 'last_checkpoint').unlink()  # as a new training does
    faulty = [dict(inputs=torch.full((1,), torch.nan))] * 4
    with pytest.raises(TrainingFault, match='default_hooks.checkpoint.every'):
        run(tmp_path / 'a', 1, data=faulty, guard=dict(type='Guard', action='rollback')).train()


def test_weights_without_a_state_are_refused(tmp_path):
    run(tmp_path, 1).train()
    path = tmp_path / 'epoch_1.pth'
    saved = torch.load(path, weights_only=True)
    torch.save({key: value for key, value in saved.items() if key != 'optimizer'}, tmp_path / 'best_NME_epoch_1.pth')
    with pytest.raises(FacelmkError, match=r'load_from'):
        run(tmp_path, 2, True, str(tmp_path / 'best_NME_epoch_1.pth')).train()


def test_a_lost_work_folder_is_a_training_fault(tmp_path):
    with pytest.raises(TrainingFault, match=r'scalars\.json.*--resume'), atomic.translate_lost_folder_errors(tmp_path):
        (tmp_path / 'gone' / 'scalars.json').open('a')
    with pytest.raises(TrainingFault, match='No space left'), atomic.translate_lost_folder_errors(tmp_path):
        raise OSError(errno.ENOSPC, 'No space left on device')
    with pytest.raises(FileNotFoundError), atomic.translate_lost_folder_errors(tmp_path):
        Path(tmp_path.parent, 'another', 'picture.jpg').read_bytes()
