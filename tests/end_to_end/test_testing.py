"""A test of a checkpoint: files, figures, pictures, and a checkpoint by URL."""

import http.server
import json
import threading

import pytest

from facelmk.datasets import SyntheticFaces

SUBSETS = ['pose', 'expression', 'illumination', 'makeup', 'occlusion', 'blur']


@pytest.fixture(scope='module')
def tested(trained, tool, tiny, tmp_path_factory):
    """The folder and the output of a test that writes everything it can."""
    folder = tmp_path_factory.mktemp('tested')
    printed = tool(
        'test.py',
        'quickstart',
        trained[0] / 'epoch_2.pth',
        '--work-dir',
        'work',
        '--out',
        'deep/out.json',
        '--dump',
        'dump.json',
        '--report',
        'report',
        '--show-dir',
        'drawn',
        '--interval',
        '4',
        '--wait-time',
        '0.1',
        '--badcase',
        '3',
        '--local_rank',
        '0',
        '--launcher',
        'none',
        *tiny(),
        cwd=folder,
    )
    return folder, printed


def test_metrics_file_has_fixed_keys(tested, trained):
    folder, _ = tested
    entry = json.loads((folder / 'work' / 'metrics.json').read_text())
    assert set(entry) >= {'config', 'checkpoint', 'faces', 'metrics', 'ranks', 'versions'}
    assert (entry['config'], entry['faces'], entry['ranks']) == ('quickstart', 17, 1)
    assert entry['checkpoint'] == str(trained[0] / 'epoch_2.pth')
    figures = ['NME', 'FR@0.1', 'AUC@0.1']
    assert list(entry['metrics']) == [key for name in figures for key in (name, *(f'{name}/{s}' for s in SUBSETS))]
    assert set(entry['versions']) == {'facelmk', 'python', 'torch', 'mmengine', 'numpy', 'opencv'}
    assert json.loads((folder / 'deep' / 'out.json').read_text()) == entry


def test_the_test_has_the_figures_of_the_last_validation(tested, trained):
    scalars = next(trained[0].glob('*/vis_data/scalars.json')).read_text().splitlines()
    validated = next(row for row in map(json.loads, scalars) if row.get('step') == 2 and 'NME' in row)
    metrics = json.loads((tested[0] / 'work' / 'metrics.json').read_text())['metrics']
    assert {key: validated[key] for key in metrics} == pytest.approx(metrics, abs=1e-9)


def test_a_test_prints_one_table(tested, trained):
    lines = tested[1].splitlines()
    assert lines[0].startswith('test quickstart on ') and ': 17 faces, weights ' in lines[0]
    assert lines[-1].startswith('report: ') and sum(line.startswith('NME ') for line in lines) == 1
    assert len(lines) + 4 <= 15  # the quick start also prints the baseline


def test_table_predictions_pictures_and_page(tested):
    folder, printed = tested
    head = next(line for line in printed.splitlines() if line.split()[:2] == ['model', 'test'])
    assert head.split()[2:] == ['95', '%', 'interval', *SUBSETS]
    faces = json.loads((folder / 'dump.json').read_text())
    assert len(faces) == 17 and set(faces[0]) == {'id', 'landmarks', 'scores', 'error', 'tags'}
    assert len(faces[0]['landmarks']) == 98
    points = {row['id']: row['visible'].sum() for row in map(SyntheticFaces('wflw', 17, 1, size=64).face, range(17))}
    mean = sum(face['error'] * points[face['id']] for face in faces) / sum(points.values())
    assert mean == pytest.approx(json.loads((folder / 'work' / 'metrics.json').read_text())['metrics']['NME'], rel=1e-6)
    assert len(list((folder / 'work' / 'drawn').iterdir())) == 5  # 1, 5, 9, 13, 17
    assert len(list((folder / 'work' / 'badcase').iterdir())) == 3
    assert '<html' in (folder / 'report' / 'index.html').read_text()


def test_a_checkpoint_by_url_gives_the_same_figures(tested, trained, tool, tiny, tmp_path):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(trained[0]))

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f'http://127.0.0.1:{server.server_port}/epoch_2.pth'
        printed = tool(
            'test.py',
            'quickstart',
            url,
            '--work-dir',
            'work',
            '--json',
            *tiny(),
            cwd=tmp_path,
            TORCH_HOME=tmp_path / 'home',
            XDG_CACHE_HOME=tmp_path / 'home',
            HOME=tmp_path / 'home',
        )
    finally:
        server.shutdown()
        server.server_close()
    expected = json.loads((tested[0] / 'work' / 'metrics.json').read_text())['metrics']
    entry = json.loads((tmp_path / 'work' / 'metrics.json').read_text())
    assert entry['metrics'] == expected and entry['checkpoint'] == url
    assert '"NME"' in printed
