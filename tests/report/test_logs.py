"""Logs of mmengine and of MMPose 0.x: lines, curves in epochs, best values, times."""

import json
from pathlib import Path

import pytest

from facelmk.errors import DataDefect, FacelmkError, MissingResource, UnknownName
from facelmk.report.logs import draw_curves, greater_is_better, read_log

NEW = [
    dict(lr=0.1, loss=9.0, time=0.9, epoch=1, iter=50, step=50),
    dict(lr=0.1, loss=8.0, time=0.3, epoch=1, iter=100, step=100),
    {'NME': 7.0, 'NME/pose': 9.0, 'AUC@0.1': 40.0, 'time': 0.1, 'step': 1},
    dict(lr=0.1, loss=7.0, time=0.7, epoch=2, iter=168, step=168),
    dict(lr=0.1, loss=6.0, time=0.5, epoch=2, iter=218, step=218),
    {'NME': 6.0, 'NME/pose': 8.0, 'AUC@0.1': 45.0, 'time': 0.1, 'step': 2},
    dict(lr=0.1, loss=5.0, time=0.4, epoch=3, iter=286, step=286),
    {'NME': 6.5, 'NME/pose': 7.0, 'AUC@0.1': 44.0, 'step': 3},
]
OLD = [
    dict(env_info='sys.platform: linux', seed=0, hook_msgs={}),
    dict(mode='train', epoch=1, iter=50, lr=0.1, memory=1, data_time=0.1, mse_loss=2.0, loss=2.0, time=0.4),
    dict(mode='train', epoch=1, iter=100, lr=0.1, memory=1, data_time=0.1, mse_loss=1.5, loss=1.5, time=0.2),
    dict(mode='train', epoch=2, iter=50, lr=0.1, memory=1, data_time=0.1, mse_loss=1.0, loss=1.0, time=0.4),
    dict(mode='train', epoch=2, iter=100, lr=0.1, memory=1, data_time=0.1, mse_loss=0.5, loss=0.5, time=0.3),
    dict(mode='val', epoch=2, iter=10, lr=0.1, NME=0.05),
]


def write_log(file: Path, lines: list[dict]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(''.join(json.dumps(line) + '\n' for line in lines) + '\n')
    return file


def test_new_log_in_epochs(tmp_path: Path) -> None:
    log = read_log(write_log(tmp_path / 'scalars.json', NEW))
    assert len(log.train) == 5 and len(log.val) == 3
    epochs, values = log.curve('loss')  # an epoch has 118 iterations: (286 - 50) / 2
    assert epochs == pytest.approx([50 / 118, 100 / 118, 168 / 118, 218 / 118, 286 / 118]) and values == [9, 8, 7, 6, 5]
    assert log.curve('NME') == ([1, 2, 3], [7.0, 6.0, 6.5])


def test_old_log_in_epochs(tmp_path: Path) -> None:
    log = read_log(write_log(tmp_path / '2021.log.json', OLD))
    assert log.curve('mse_loss') == ([0.5, 1.0, 1.5, 2.0], [2.0, 1.5, 1.0, 0.5])
    assert log.best() == ('NME', 2, 0.05)
    assert log.times() == pytest.approx({1: 0.2, 2: 0.3}) and log.times(include_first=True) == pytest.approx(
        {1: 0.3, 2: 0.35}
    )


def test_log_without_epochs(tmp_path: Path) -> None:
    lines = [dict(loss=3.0, iter=10, step=10), dict(loss=2.0, iter=20, step=20), dict(NME=5.0, step=20)]
    log = read_log(write_log(tmp_path / 'scalars.json', lines))
    assert log.curve('loss') == ([10, 20], [3.0, 2.0]) and log.curve('NME') == ([20], [5.0])


def test_best_knows_the_direction(tmp_path: Path) -> None:
    log = read_log(write_log(tmp_path / 'scalars.json', NEW))
    assert log.best() == ('NME', 2, 6.0) and log.best('NME/pose') == ('NME/pose', 3, 7.0)
    assert log.best('AUC@0.1') == ('AUC@0.1', 2, 45.0)
    assert greater_is_better('box/AUC@0.1') and greater_is_better('AUC@0.1/pose') and not greater_is_better('FR@0.1')


def test_the_newest_log_of_a_work_folder(tmp_path: Path) -> None:
    import os

    os.utime(write_log(tmp_path / '1' / 'vis_data' / 'scalars.json', NEW[:1]), (1, 1))
    write_log(tmp_path / '2' / 'vis_data' / 'scalars.json', NEW)
    assert len(read_log(tmp_path).train) == 5


@pytest.mark.parametrize(
    ('name', 'text', 'error', 'fact'),
    [
        ('a.log', '2026/11/21 - mmengine - INFO - ...\n', DataDefect, 'line 1'),
        ('scalars.json', '{"loss": 1, "step": 1}\n[1]\n', DataDefect, 'line 2: list'),
        ('scalars.json', '{"seed": 1}\n', DataDefect, 'no line of training'),
        (None, '', MissingResource, 'nothing'),
    ],
)
def test_other_files_are_refused(tmp_path: Path, name: str | None, text: str, error: type, fact: str) -> None:
    file = tmp_path / (name or 'nothing')
    if name:
        file.write_text(text)
    with pytest.raises(error, match=fact):
        read_log(file)


def test_empty_work_folder(tmp_path: Path) -> None:
    with pytest.raises(MissingResource, match='scalars.json'):
        read_log(tmp_path)


def test_an_unknown_key_suggests_a_similar_one(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="'loss'"):
        read_log(write_log(tmp_path / 'scalars.json', NEW)).curve('los')


def test_curves_are_drawn_into_a_file(tmp_path: Path) -> None:
    logs = [
        read_log(write_log(tmp_path / 'new' / 'scalars.json', NEW)),
        read_log(write_log(tmp_path / 'b.log.json', OLD)),
    ]
    out = draw_curves(logs, ['loss', 'NME'], tmp_path / 'deep' / 'x.svg', 'a title', ['new', 'old'])
    assert out is not None and '<svg' in out.read_text()
    with pytest.raises(FacelmkError, match='1 names for 2 logs'):
        draw_curves(logs, ['loss'], tmp_path / 'x.png', legend=['new'])
    with pytest.raises(FacelmkError, match='x.mp3'):
        draw_curves(logs, ['loss'], tmp_path / 'x.mp3')


@pytest.mark.fault('M04')
def test_a_last_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    file = write_log(tmp_path / 'scalars.json', NEW)
    whole = file.read_text().rstrip()
    for cut in range(1, len(json.dumps(NEW[-1]))):
        file.write_text(whole[:-cut])
        log = read_log(file)
        assert len(log.train) == 5 and len(log.val) == 2
    file.write_text(whole[:-1] + '\n')
    with pytest.raises(DataDefect):
        read_log(file)
