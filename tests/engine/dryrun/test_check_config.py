"""facelmk config check: all findings, by what they are about, and the exit code."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from mmengine import Config

from facelmk.cli import main
from facelmk.datasets import FacesInPictures, FitScene, PackScene, SyntheticFaces
from facelmk.engine.dryrun import rehearsal

CONFIG = """
crop = [dict(type='LoadImage'), dict(type='CropFace', size=64), dict(type='PackFace')]
train_dataloader = dict(batch_size=2, dataset=dict(type='SyntheticFaces', count=12, seed=9, size=64, pipeline=crop))
val_dataloader = dict(batch_size=2, dataset=dict(type='SyntheticFaces', count=3, size=64, pipeline=crop))
val_evaluator = [dict(type='NME')]
model = dict(type='facelmk.FaceLandmarker', backbone=dict(type='ResNet', depth=18), head=dict(type='RegressionHead'),
             codec=dict(type='Coordinates'), loss=dict(type='WingLoss'))
optim_wrapper = dict(optimizer=dict(type='Adam', lr=.001))
train_cfg = dict(by_epoch=True, max_epochs=10)
param_scheduler = [dict(type='LinearLR', start_factor=.1, by_epoch=False, begin=0, end=12),
                   dict(type='MultiStepLR', milestones=[4, 8], gamma=.1, by_epoch=True)]
default_hooks = dict(checkpoint=dict(type='CheckpointHook', interval=5, save_best='NME'))
auto_scale_lr = dict(base_batch_size=4)
"""
Check = Callable[..., list[dict]]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """Runs the check on a config with some lines added; gives the findings."""

    def run(lines: str, *words: str, code: int = 0) -> list[dict]:
        monkeypatch.chdir(tmp_path)
        (tmp_path / 'my.py').write_text(CONFIG + lines)
        exit_code = main(['config', 'check', 'my.py', '--json', *(words or ('--no-step',))])
        printed = capsys.readouterr()
        assert exit_code == code, printed
        return json.loads(printed.out)

    return run


def messages(findings: list[dict], subject: str, *severities: str) -> str:
    return '; '.join(
        row['message']
        for row in findings
        if row['subject'] == subject and row['severity'] in (severities or ('error', 'warning', 'note'))
    )


def test_a_good_config_with_a_step(check: Check) -> None:
    findings = check('', '--gpus', '2')
    assert not [row for row in findings if row['severity'] != 'note'], findings
    assert '0.001 for a batch of 4; 2 GPUs make 4' in messages(findings, 'learning rate')
    assert '3 steps an epoch, 30 in 10 epochs' in messages(findings, 'schedule')  # 12 faces, 2 GPUs of 2
    assert 'loss_wing' in messages(findings, 'training step') and 'NME' in messages(findings, 'validation batch')
    assert 'one data set' in messages(findings, 'val and test')


def test_the_rate_for_a_smaller_batch(check: Check) -> None:
    assert '0.0005' in messages(check(''), 'learning rate', 'warning')  # .001 * 2 / 4


def test_all_mistakes_are_reported_at_once(check: Check) -> None:
    findings = check(
        'model["backbone"]["dept"] = 3\nmodel["flip_tst"] = 1\ndefault_hooks["checkpoint"]["save_best"] = '
        '"AUC"\nval_evaluator[0]["norm"] = [0, 98]\ntrain_cfg["max_epochs"] = "ten"\n',
        code=2,
    )
    keys = messages(findings, 'keys', 'error')
    assert "'depth'" in keys and "'flip_test'" in keys and "'ten'" in keys
    assert 'NME' in messages(findings, 'save_best', 'error') and '0 to 97' in messages(findings, 'evaluator', 'error')


@pytest.mark.parametrize(
    ('lines', 'subject', 'severity', 'words'),
    [
        ('val_dataloader["dataset"] = train_dataloader["dataset"]', 'train and test', 'error', 'the training data'),
        (
            'val_dataloader["dataset"] = dict(val_dataloader["dataset"], pipeline=[crop[0], dict(crop[1], size=96), crop[2]])',
            'crop',
            'error',
            'size=64',
        ),
        (
            'val_dataloader["dataset"] = dict(val_dataloader["dataset"], markup="300w")',
            'landmark scheme',
            'error',
            '68',
        ),
        ('param_scheduler[0]["end"] = 30', 'schedule', 'warning', 'step 30, after the first milestone at 24'),
        ('param_scheduler[1]["milestones"] = [4, 10]', 'schedule', 'warning', 'the last milestone lies at step 60'),
        ('train_dataloader["batch_size"] = 11', 'schedule', 'warning', 'one face'),
        ('work_dir = "my.py"', 'work_dir', 'error', 'is a file'),
        ('del optim_wrapper', 'keys', 'error', 'optim_wrapper'),
        ('del model', 'keys', 'error', 'model'),
        ('val_evaluator = None', 'keys', 'error', 'val_evaluator'),
        ('val_dataloader["dataset"]["type"] = "SyntheticFace"', 'keys', 'error', "'SyntheticFaces'"),
        ('train_dataloader["batch_size"] = [2]', 'keys', 'error', 'batch_size=[2]'),
        ('default_hooks["guard"] = dict(type="Guard", action="ignore")', 'hook Guard', 'error', "'stop'"),
        ('custom_hooks = [dict(type="EMAHook", momentum=2.)]', 'hook EMAHook', 'error', 'momentum'),
        ('load_from = "gone.pth"', 'load_from', 'error', 'gone.pth'),
        ('model["backbone"]["pretrained"] = "gone.pth"', 'pretrained', 'error', 'gone.pth'),
        ('val_dataloader["dataset"]["seed"] = 9', 'train and test', 'error', '3 faces of val'),
        ('auto_scale_lr["enable"] = True', 'learning rate', 'note', 'scales to 0.0005, as auto_scale_lr.enable'),
        ('optim_wrapper["accumulative_counts"] = 2', 'learning rate', 'note', '4 in 2 steps'),
        ('model = "FaceLandmarker"', 'keys', 'error', 'a dict with a type'),
        ('optim_wrapper["accumulative_counts"] = 4', 'learning rate', 'warning', 'scales to 0.002: train with'),
        (
            'auto_scale_lr["enable"] = True; optim_wrapper["accumulative_counts"] = 4',
            'learning rate',
            'note',
            'scales to 0.002, as auto_scale_lr.enable',
        ),
    ],
)
def test_a_finding(lines: str, subject: str, severity: str, words: str, check: Check) -> None:
    codes = {'gone.pth': 3, '3 faces of val': 4}
    findings = check(lines + '\n', code=codes.get(words, 2) if severity == 'error' else 0)
    assert words in messages(findings, subject, severity), findings


@pytest.mark.parametrize(
    ('lines', 'subject', 'words'),
    [
        ('optim_wrapper["optimizer"]["lr"] = -1.', 'optimizer', 'Invalid learning rate'),
        ('param_scheduler[0]["begin"] = 13', 'schedule', 'end should be larger than begin'),
        ('model["head"]["out_channels"] = 68', 'model', 'out_channels=68. Expected 98'),
        ('crop.pop()', 'training data', "dict(type='PackFace')"),
    ],
)
def test_what_a_step_finds(lines: str, subject: str, words: str, check: Check) -> None:
    findings = check(lines + '\n', '--gpus', '2', code=2)
    assert words in messages(findings, subject, 'error'), findings


def test_start_weights_are_looked_up_and_not_downloaded(check: Check) -> None:
    assert 'is downloaded' in messages(check("load_from = 'hrnetv2_w18_wflw'\n"), 'weights', 'note')
    for name, code in (('hrnet_w18_wflw_orig', 3), ('torchvision://resnet_50', 2), ('nowhere.pth', 3)):
        findings = check(f"load_from = '{name}'\n", code=code)
        assert name in messages(findings, 'load_from', 'error'), findings


def test_room_for_averaged_weights_is_counted(check: Check) -> None:
    def size(lines: str) -> float:
        return float(messages(check(lines), 'disk').partition(' of ')[2].split()[0])

    plain = size('')
    assert abs(size('custom_hooks = [dict(type="EMAHook")]\n') / plain - 4 / 3) < 0.01
    assert abs(size('default_hooks["checkpoint"]["save_optimizer"] = False\n') / plain - 1 / 3) < 0.01


def test_missing_data_are_exit_code_4_with_every_layout(check: Check) -> None:
    findings = check(
        'train_dataloader["dataset"] = dict(type="PublishedFaces", root="gone", split="train", '
        'markup="wflw", pipeline=crop, layouts=[dict(type="CocoFaces", ann_file="a.json"), '
        'dict(type="CsvFaces", ann_file="b.csv")])\n',
        code=4,
    )
    assert 'gone/a.json' in messages(findings, 'train data', 'error') and 'gone/b.csv' in messages(
        findings, 'train data', 'error'
    )


def test_the_checks_own_mistakes(check: Check) -> None:
    assert main(['config', 'check', 'quickstart', '--gpus', '0']) == 2


def test_a_batch_is_made_as_the_loader_of_its_phase_makes_it() -> None:
    """Scenes have lists of boxes instead of points."""
    data = FacesInPictures(SyntheticFaces('aflw', 1, size=64), [FitScene(size=64), PackScene()])
    config = Config({'val_dataloader': {'collate_fn': {'type': 'facelmk.collate_scenes'}}})
    batch = rehearsal._batch(config, 'val', data)
    assert batch['inputs'].shape == (2, 3, 64, 64)
    assert [boxes.shape for boxes in batch['data_samples']['boxes']] == [(1, 4)] * 2
