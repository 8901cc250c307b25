"""What can be refused is refused before a run draws, reads data, makes its work folder or writes a log."""

import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from facelmk.cli import main
from facelmk.config import load_config
from facelmk.files.signals import Stopped
from facelmk.registry import MODELS
from facelmk.synthetic import dataset

fault = pytest.mark.fault


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """A folder with weights of the quick start without the state of a run, other files, and an empty folder."""
    folder = tmp_path_factory.mktemp('here')
    weights = MODELS.build(load_config('quickstart').model).state_dict()
    torch.save({'state_dict': weights}, folder / 'weights.pth')
    state = {'message_hub': {}, 'optimizer': {}, 'meta': {'epoch': 1, 'iter': 9}}
    torch.save(state | {'state_dict': {'head.weight': torch.zeros(3)}}, folder / 'other.pth')
    (folder / 'text.pth').write_text('hello')
    (folder / 'empty').mkdir()
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(folder / 'p.png')
    return folder


TRAIN, TEST = 'train quickstart', 'test quickstart'
PREDICT = 'predict quickstart p.png --weights weights.pth --boxes full'
COMMANDS = [  # the command, its exit code, a fact in the message
    (f'{TRAIN} --resume autoo', 3, 'autoo'),
    (f'{TRAIN} --resume no/such.pth', 3, 'such.pth'),
    (f'{TRAIN} --resume empty', 3, 'empty'),
    (f'{TRAIN} --resume=', 2, '--resume'),
    (f'{TRAIN} --cfg-options default_hooks.checkpoint.out_dir=text.pth', 2, 'text.pth'),
    (f'{TRAIN} --resume text.pth', 2, 'text.pth'),
    (f'{TRAIN} --resume weights.pth', 2, 'load_from'),
    (f'{TRAIN} --resume other.pth', 2, 'head.weight'),
    (f'{TRAIN} --resumee', 2, '--resume'),
    (f'{TRAIN} --resum', 2, '--resume'),
    (f'{TRAIN} --cfg-options load_from=missing.pth', 3, 'missing.pth'),
    (f'{TRAIN} --cfg-options load_from=torchvision://resnet5', 2, 'resnet50'),
    (f'{TRAIN} --cfg-options model.backbone.pretrained=missing.pth', 3, 'missing.pth'),
    (f'{TRAIN} --cfg-options model.codec.type=Integrall', 2, 'Integral'),
    (f'{TRAIN} --cfg-options model.head.channels=0.5', 2, 'channels'),
    (f'{TRAIN} --cfg-options train_dataloader.batch_size=two', 2, 'batch_size'),
    (f'{TRAIN} --cfg-options val_dataloader.dataset.type=AnnotatedFace', 2, 'AnnotatedFace'),
    (f'{TRAIN} --interval 0', 2, '--interval 0'),
    (f'{TRAIN} --wait-time -1', 2, '--wait-time -1'),
    (f'{TRAIN} --launcher pytorch', 2, 'RANK'),
    (f'{TRAIN} --data nosuch', 2, 'nosuch'),
    ('train hrnetv2_w18_wflw', 3, 'wflw'),
    ('train hrnetv2_w18_300w', 3, '300'),
    (f'{TEST} missing.pth', 3, 'missing.pth'),
    (f'{TEST} text.pth', 2, 'text.pth'),
    (f'{TEST} other.pth', 2, 'head.weight'),
    (f'{TEST} weights.pth --badcase -3', 2, '--badcase -3'),
    (f'{TEST} weights.pth --badcase many', 2, '--badcase many'),
    ('test hrnetv2_w18_wflw weights.pth', 3, 'wflw'),
    (f'{PREDICT} --weights missing.pth', 3, 'missing.pth'),
    (f'{PREDICT} --boxes ful', 2, 'ful'),
    (f'{PREDICT} --boxes 1,2,3', 2, '1,2,3'),
    (f'{PREDICT} --boxes no.json', 3, 'no.json'),
    (f'{PREDICT} --device cdua', 2, 'cdua'),
    (f'{PREDICT} --device cuda:99', 3, 'cuda:99'),
    (f'{PREDICT} --device meta', 3, 'meta'),
    (f'{PREDICT} --batch-size 0', 2, '--batch-size 0'),
    ('predict quickstart nothing.png --weights weights.pth --boxes full', 3, 'nothing.png'),
    ('data check nosuch', 2, 'nosuch'),
    ('data check quickstrat', 2, 'quickstart'),
    ('data check nosuch.csv', 3, 'nosuch.csv'),
    ('data browse quickstart --count -1', 2, '--count -1'),
    ('config check nosuch', 2, 'nosuch'),
    ('config check quickstart --gpus 0', 2, '--gpus 0'),
    ('models stats quickstart --shape 0', 2, '--shape 0'),
]


@fault('L11')
@pytest.mark.parametrize(('command', 'code', 'fact'), COMMANDS, ids=[command for command, *_ in COMMANDS])
def test_a_mistake(command, code, fact, files, monkeypatch, capsys):
    monkeypatch.chdir(files)
    monkeypatch.setattr(dataset, 'cache_faces', lambda *_: pytest.fail('faces are drawn'))
    before = sorted(Path().rglob('*'))
    assert main(command.split()) == code
    printed = capsys.readouterr()
    assert fact in printed.err and len(printed.err.splitlines()) == 1 and len(printed.err) < 700
    assert not printed.out and sorted(Path().rglob('*')) == before


@fault('L11')
def test_a_mistake_deletes_no_pointer_to_the_last_run(files, tmp_path, monkeypatch):
    """A new run deletes `last_checkpoint` of the run before it, but only if it can start."""
    pointer = tmp_path / 'last_checkpoint'
    pointer.write_text('epoch_3.pth')
    monkeypatch.chdir(files)
    for words in (['--resume', 'missing.pth'], ['--cfg-options', 'load_from=missing.pth']):
        assert main([*TRAIN.split(), '--work-dir', str(tmp_path), *words]) == 3
    assert pointer.read_text() == 'epoch_3.pth'


@pytest.mark.parametrize(('rank', 'printed'), [('0', True), ('1', False)])
def test_of_several_ranks_the_first_says_that_a_signal_stopped_them(rank, printed, monkeypatch, capsys):
    def stop(words):
        raise Stopped(signal.SIGTERM)

    monkeypatch.setenv('RANK', rank)
    monkeypatch.setattr('facelmk.cli._run', stop)
    assert main(['train', 'quickstart']) == 143
    assert bool(capsys.readouterr().err) == printed
