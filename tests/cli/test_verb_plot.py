"""facelmk plot logs."""

import json
from pathlib import Path

import cv2
import pytest
from helpers.pages import check_page_alone

LINES = [
    dict(loss=9.0, time=0.9, epoch=1, iter=5, step=5),
    dict(loss=8.0, time=0.3, epoch=1, iter=10, step=10),
    dict(NME=7.0, step=1),
    dict(loss=7.0, time=0.7, epoch=2, iter=15, step=15),
    dict(loss=6.0, time=0.5, epoch=2, iter=20, step=20),
    dict(NME=6.0, step=2),
    dict(NME=6.5, step=3),
]


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / 'work' / '20261121' / 'vis_data' / 'scalars.json'
    file.parent.mkdir(parents=True)
    file.write_text('\n'.join(map(json.dumps, LINES)))
    return 'work'


def test_summary(verb, log) -> None:
    assert verb('plot', 'logs', log).splitlines() == [
        'work: 3 epochs',
        '  best NME: 6.0000 in epoch 2',
        '  slowest epoch 2, average time is 0.5000 s/iter',
        '  fastest epoch 1, average time is 0.3000 s/iter',
        "  standard deviation of the epochs' times: 0.1000 s",
        '  average iter time: 0.4000 s/iter',
    ]
    assert not Path('curves.png').exists()


def test_summary_as_json(verb, log) -> None:
    (summary,) = json.loads(verb('plot', 'logs', log, '--json', '--include-outliers'))
    assert summary['best'] == {'key': 'NME', 'epoch': 2, 'value': 6.0}
    assert summary['seconds_per_iteration']['mean'] == pytest.approx(0.6)


def test_curves(verb, log) -> None:
    assert 'curves: a/b.png' in verb(
        'plot',
        'logs',
        log,
        log,
        '--keys',
        'loss',
        'NME',
        '--out',
        'a/b.png',
        '--legend',
        'one',
        'two',
        '--title',
        'both',
    )
    assert cv2.imread('a/b.png').std() > 1


def test_a_page_with_the_curves_of_two_runs(verb, log) -> None:
    assert 'curves: c.html' in verb('plot', 'logs', log, log, '--out', 'c.html', '--legend', 'one', 'two')
    source = Path('c.html').read_text()
    page = check_page_alone(source)
    assert source.count('class="chart"') == 2  # loss and NME: these logs have no lr
    assert source.count('best 6<') == 2 == page.text.count('best NME 6 in epoch 2')  # at each curve, for each run
    assert '--show' in verb('plot', 'logs', log, '--out', 'c.html', '--show', code=2)


def test_mmposes_subcommands(verb, log) -> None:
    stdout = verb('plot', 'logs', 'plot_curve', log, '--keys', 'loss', '--style', 'white', '--out', 'c.png')
    assert stdout == 'curves: c.png\n'
    stdout = verb('plot', 'logs', 'cal_train_time', log)
    assert 'average iter time: 0.4000 s/iter' in stdout and 'curves' not in stdout


def test_wrong_input(verb, log) -> None:
    assert "'loss'" in verb('plot', 'logs', log, '--keys', 'los', code=2)
    assert 'nowhere' in verb('plot', 'logs', 'nowhere', code=3)


def test_no_screen(verb, log, monkeypatch) -> None:
    import matplotlib.pyplot as plt

    monkeypatch.setattr(plt, 'get_backend', lambda: 'Agg')
    assert '--show' in verb('plot', 'logs', log, '--show', code=3)
