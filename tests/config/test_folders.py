"""One option moves all data sets of a config."""

import pytest
from mmengine import Config

from facelmk.config.folders import move_data
from facelmk.errors import FacelmkError


def config(*roots):
    inner = [dict(type='CsvFaces', data_root=root, ann_file='a.csv') for root in roots]
    return Config(
        dict(
            train_dataloader=dict(dataset=dict(type='JoinedFaces', datasets=inner)),
            val_dataloader=dict(dataset=dict(type='PublishedFaces', root=roots[0] if roots else None)),
            test_dataloader=None,
        )
    )


def test_nested_and_plain_sets_move_together(tmp_path):
    moved = config('data/a', 'data/a')
    move_data(moved, tmp_path)
    assert [member.data_root for member in moved.train_dataloader.dataset.datasets] == [str(tmp_path)] * 2
    assert moved.val_dataloader.dataset.root == str(tmp_path)


@pytest.mark.parametrize('roots', [(), ('data/a', 'data/b')])
def test_no_root_or_several_are_refused_and_stay(roots, tmp_path):
    kept = config(*roots)
    with pytest.raises(FacelmkError, match='none' if not roots else '2 .data/a, data/b.'):
        move_data(kept, tmp_path)
    assert [member.data_root for member in kept.train_dataloader.dataset.datasets] == list(roots)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FacelmkError, match='nowhere'):
        move_data(config('data/a'), tmp_path / 'nowhere')
