"""The lines that a training prints: data, an epoch with its validation, the best one at the end."""

from types import SimpleNamespace

import pytest
from mmengine.hooks import CheckpointHook
from mmengine.runner import EpochBasedTrainLoop

from facelmk.registry import DATASETS
from facelmk.report.run_lines import TrainingLines, describe_data, headline_figures, validation_table

SUBSETS = ('pose', 'blur')
METRICS = {'NME': 5.123456, 'NME/pose': 7.0, 'NME/blur': 6.0, 'FR@0.1': 1.0, 'FR@0.1/pose': 2.0, 'FR@0.1/blur': 3.0}


class Faces(list):
    sample_name = 'face'
    metainfo = {'subsets': SUBSETS}


def runner(epochs: int = 3) -> SimpleNamespace:
    """What the lines read of a Runner that validates after each second epoch, saving the best NME."""
    loader = type('Loader', (), {'__len__': lambda self: 5, 'dataset': Faces(range(40)), 'batch_size': 8})()
    saving = type('Saving', (), {})
    loop = EpochBasedTrainLoop.__new__(EpochBasedTrainLoop)
    run = SimpleNamespace(
        train_loop=loop, train_dataloader=loader, val_dataloader=loader, hooks=[saving], epoch=0, iter=0
    )
    run.val_loop = SimpleNamespace(dataloader=loader)
    run.max_epochs, run.max_iters, run._load_from = epochs, 5 * epochs, 'work/epoch_1.pth'
    run.message_hub = SimpleNamespace(runtime_info={})
    return run


def train(lines: TrainingLines, run: SimpleNamespace, figures: list[dict | None], monkeypatch) -> None:
    """Call the hook as mmengine's loop does; `figures` are those of each epoch's validation."""
    best = []
    monkeypatch.setattr(lines, '_is_best', lambda _, metrics: ('NME', metrics['NME'] == min(best)))
    lines.before_train(run)
    for metrics in figures:
        lines.before_train_epoch(run)
        for batch in range(5):
            lines.after_train_iter(run, batch, outputs={})
            run.iter += 1
        lines.after_train_epoch(run)
        run.epoch += 1
        if metrics:
            best.append(metrics['NME'])
            lines.before_val_epoch(run)
            lines.after_val_iter(run, 4)
            lines.after_val_epoch(run, metrics)
    lines.after_train(run)


def test_one_line_an_epoch_and_the_best_at_the_end(capsys, monkeypatch) -> None:
    worse = METRICS | {'NME': 9.0}
    train(TrainingLines(), runner(4), [METRICS, None, worse, worse], monkeypatch)
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0] == '40 faces to train on, 40 faces to validate on; 4 epochs of 5 batches of 8'
    assert lines[1].startswith('epoch 1 of 4') and lines[1].endswith('NME 5.12 (best so far)  FR@0.1 1.00')
    assert lines[2].startswith('epoch 2 of 4') and 'NME' not in lines[2]
    assert lines[3].endswith('NME 9.00  FR@0.1 1.00')
    assert lines[5].split() == ['epoch', '1', 'of', '4', '(best)', 'all', *SUBSETS]
    assert lines[6].split() == ['NME', '5.12', '7.00', '6.00']
    assert lines[8].startswith('trained for ') and len(lines) == 9 and not printed.err


def test_a_resumed_run_says_where_it_continues(capsys, monkeypatch) -> None:
    run = runner()
    run.epoch, run.iter = 1, 5
    train(TrainingLines(), run, [None, METRICS], monkeypatch)
    assert capsys.readouterr().out.splitlines()[1] == 'resumes work/epoch_1.pth after epoch 1 of 3'


def test_figures_of_the_whole_set_come_first() -> None:
    assert headline_figures({'FR': 1.0, 'NME/pose': 3.0, 'NME': 2.0, 'text': 'x'}, 'NME') == [('NME', 2.0), ('FR', 1.0)]
    table = validation_table('epoch 3', METRICS, Faces()).text()
    assert [line.split() for line in table.splitlines()[1:]] == [
        ['NME', '5.12', '7.00', '6.00'],
        ['FR@0.1', '1.00', '2.00', '3.00'],
    ]


def test_the_pictures_of_annotated_faces_are_counted(tmp_path) -> None:
    head = 'image,scale,center_w,center_h,' + ','.join(f'p{i}' for i in range(10))
    rows = [f'{name}.jpg,0.5,50,50,' + ','.join(str(20 + i) for i in range(10)) for name in 'aab']
    (tmp_path / 'faces.csv').write_text('\n'.join([head, *rows]) + '\n')
    faces = DATASETS.build(dict(type='CsvFaces', ann_file=str(tmp_path / 'faces.csv'), markup='five'))
    assert describe_data(faces) == '3 faces in 2 pictures'
    assert describe_data(Faces([1])) == '1 face'


@pytest.mark.parametrize('metrics', [{}, {'AP': 1.0}])
def test_without_a_best_checkpoint(metrics) -> None:
    assert TrainingLines()._is_best(runner(), metrics) == (None, False)


def test_a_validation_that_equals_the_best_is_not_the_best() -> None:
    """CheckpointHook keeps the weights of the first one."""
    lines, state = TrainingLines(), runner()
    state.hooks = [CheckpointHook(save_best='NME', rule='less')]
    state.message_hub = SimpleNamespace(runtime_info={'best_score': 3.0})
    assert lines._is_best(state, {'NME': 3.0}) == ('NME', True)
    lines.best = ('epoch 1 of 3', {'NME': 3.0})
    assert lines._is_best(state, {'NME': 3.0}) == ('NME', False)


def test_a_table_that_is_too_wide_for_the_terminal_becomes_tall() -> None:
    table = validation_table('epoch 3', METRICS, Faces())
    assert table.text(200) == table.text(None) == table.text()
    assert [line.split() for line in table.text(20).splitlines()] == [
        ['epoch', '3', 'NME', 'FR@0.1'],
        ['all', '5.12', '1.00'],
        ['pose', '7.00', '2.00'],
        ['blur', '6.00', '3.00'],
    ]
