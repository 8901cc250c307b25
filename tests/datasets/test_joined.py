"""Several data sets as one: landmark schemes, names, tags, weights, optional members; and repetition."""

import numpy as np
import pytest

from facelmk.datasets import AnnotatedFaces, JoinedFaces, RepeatedFaces
from facelmk.errors import FacelmkError, MissingResource, UnknownName
from facelmk.markups import MAPS, MARKUPS
from facelmk.registry import DATASETS


class Listed(AnnotatedFaces):
    """A reader without a file: `count` faces, the first half of them in subset `half`."""

    subsets = ('half',)

    def __init__(self, count=4, **options):
        self.count = count
        super().__init__(**options)

    def read(self, file):
        points = np.random.default_rng(self.markup.size).random((self.count, self.markup.size, 2)) * 200
        return self.rows(
            file,
            [f'{i}.jpg' for i in range(self.count)],
            points,
            [[0, 0, 20, 20]] * self.count,
            tags=[('half',) if i < self.count / 2 else () for i in range(self.count)],
        )


def ids(data, epoch=0, seed=0):
    return [data.face_in_epoch(seed, epoch, i)['id'] for i in range(len(data))]


def test_faces_of_three_landmark_schemes_are_converted_to_one():
    parts = [Listed(2, markup=name) for name in ('lapa', 'wflw', 'cofw')]
    data = JoinedFaces(parts, markup='lapa')
    assert len(data) == 6 and data.markup is MARKUPS['lapa']
    for i, part in enumerate(parts):
        face, own = data.face(2 * i + 1), part.face(1)
        assert (face['path'], face['box'].tolist(), face['norm']) == (own['path'], own['box'].tolist(), own['norm'])
        shares = {k: {k: 1.0} for k in range(106)} if i == 0 else MAPS[part.markup.name, 'lapa']
        assert set(np.flatnonzero(face['visible'])) == set(shares)
        for point, share in shares.items():
            mean = sum(weight * own['landmarks'][source].astype(float) for source, weight in share.items())
            assert face['landmarks'][point] == pytest.approx(mean, abs=1e-4)


def test_ids_are_unique_and_begin_with_the_member():
    data = JoinedFaces(
        [dict(dataset=Listed(2, markup='five'), name='mine'), Listed(2, markup='five'), Listed(1, markup='five')]
    )
    assert ids(data) == ['mine/0.jpg', 'mine/1.jpg', 'five/0.jpg', 'five/1.jpg', 'five_2/0.jpg']


def test_a_member_is_named_after_its_folder_and_split(tmp_path, faces, write):
    (tmp_path / 'wflw').mkdir()
    write.csv(tmp_path / 'wflw/a.csv', faces(1, 98))
    reader = dict(type='CsvFaces', ann_file='a.csv', data_root=str(tmp_path / 'wflw'))
    layouts = [dict(type='CsvFaces', ann_file='{split}.csv')]
    published = dict(type='PublishedFaces', root=str(tmp_path / 'wflw'), split='a', markup='wflw', layouts=layouts)
    assert ids(DATASETS.build(dict(type='JoinedFaces', datasets=[reader, published]))) == ['wflw/1.png', 'wflw_a/1.png']


def test_members_keep_their_tags_and_get_others():
    data = JoinedFaces(
        [
            dict(dataset=Listed(2, markup='five'), tags=('full',)),
            dict(dataset=Listed(2, markup='five'), tags=('test', 'half')),
        ]
    )
    assert data.subsets == ('half', 'full', 'test')
    assert [data.face(i)['tags'] for i in range(4)] == [('half', 'full'), ('full',), ('half', 'test'), ('test', 'half')]
    metainfo = JoinedFaces([Listed(2, markup='five')], subsets=('half',), headline='half', whole='all').metainfo
    assert metainfo == {'markup': 'five', 'subsets': ('half',), 'headline': 'half', 'whole': 'all'}
    with pytest.raises(UnknownName, match="headline='hlaf'.*'half'"):
        JoinedFaces([Listed(2, markup='five')], headline='hlaf')


def test_weights_are_shares_of_an_epoch_sampled_from_the_seed():
    data = JoinedFaces(
        [dict(dataset=Listed(40, markup='five'), name='a'), dict(dataset=Listed(10, markup='five'), name='b')],
        weights=[0.25, 2.5],
    )
    assert len(data) == 10 + 25
    epochs = [ids(data, epoch) for epoch in range(40)]
    assert all(
        len(set(names)) == 35 for names in epochs
    )  # no face of `a` twice, and another id for each repetition of `b`
    assert epochs[3] == ids(data, 3) and epochs[3] != epochs[4] and epochs[3] != ids(data, 3, seed=1)
    whole = [f'b/{i}.jpg{again}' for again in ('', '@2') for i in range(10)]
    assert all(names[10:30] == whole for names in epochs)
    assert all(name.startswith('b/') and name.endswith('@3') for names in epochs for name in names[30:])
    drawn = np.bincount([int(name[2:-4]) for names in epochs for name in names[:10]], minlength=40)
    assert drawn.sum() == 400 and drawn.min() >= 2 and drawn.max() <= 20  # 10 each on average, deviation 2.7


def test_each_repetition_has_other_draws():
    step = [lambda sample: sample | {'draw': sample['rng'].random()}]
    data = JoinedFaces([Listed(3, markup='five')], weights=[2], pipeline=step)
    assert data[7, 1, 2]['draw'] == data[7, 1, 2]['draw'] != data[7, 2, 2]['draw']
    assert data[7, 1, 2]['draw'] != data[7, 1, 5]['draw']  # the same face once more
    assert data[7, 1, 5]['markup'].name == 'five' and data[7, 1, 5]['epoch'] == 1


def test_only_optional_members_may_be_missing(tmp_path, monkeypatch):
    lines = []
    monkeypatch.setattr('facelmk.datasets.joined.note', lambda text: lines.append(text))
    missing = dict(type='CsvFaces', ann_file='none.csv', data_root=str(tmp_path), markup='five')
    with pytest.raises(MissingResource, match='none.csv'):
        JoinedFaces([Listed(2, markup='five'), missing])
    assert len(JoinedFaces([Listed(2, markup='five'), dict(dataset=missing, optional=True)], weights=[1, 3])) == 2
    assert len(lines) == 1 and 'left out' in lines[0] and 'none.csv' in lines[0]
    with pytest.raises(MissingResource, match='JoinedFaces.*missing'):
        JoinedFaces([dict(dataset=missing, optional=True)])


@pytest.mark.parametrize(
    ('datasets', 'options', 'message'),
    [
        (['wflw', '300w'], {}, 'wflw, 300w.*markup='),
        (['300w', 'five'], dict(markup='wflw'), "'300w' to 'wflw'"),
        (['five'], dict(weights=[1, 2]), 'weights=.* for 1 data sets'),
        (['five'], dict(weights=[0]), 'above 0'),
    ],
)
def test_sets_that_cannot_be_joined_are_refused_at_once(datasets, options, message):
    with pytest.raises(FacelmkError, match=message):
        JoinedFaces([Listed(2, markup=name) for name in datasets], **options)


def test_members_have_no_pipeline_and_no_unknown_options():
    with pytest.raises(FacelmkError, match='has a pipeline'):
        JoinedFaces([Listed(2, markup='five', pipeline=[lambda sample: sample])])
    with pytest.raises(UnknownName, match="'optonal'.*'optional'"):
        JoinedFaces([dict(dataset=Listed(2, markup='five'), optonal=True)])
    with pytest.raises(FacelmkError, match='names no data set'):
        JoinedFaces([dict(tags=('a',))])


def test_repeated():
    data = RepeatedFaces(Listed(2, markup='five'), 3)
    assert ids(data) == ['0.jpg', '1.jpg', '0.jpg@2', '1.jpg@2', '0.jpg@3', '1.jpg@3']
    assert np.array_equal(data.face(3)['landmarks'], data.face(1)['landmarks']) and data.subsets == ('half',)
    assert ids(JoinedFaces([RepeatedFaces(Listed(1, markup='five'), 2)])) == ['five/0.jpg', 'five/0.jpg@2']
    with pytest.raises(FacelmkError, match='times=0'):
        RepeatedFaces(Listed(2, markup='five'), 0)
