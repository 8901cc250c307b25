"""Faces drawn with a scanned head: the geometry agrees with its landmarks, in both of its file formats."""

import os
from pathlib import Path

import numpy as np
import pytest

from facelmk.datasets import SyntheticFaces
from facelmk.errors import DataDefect, MissingResource
from facelmk.synthetic import scanned
from facelmk.synthetic.scanned import read
from facelmk.synthetic.scanned.head import LANDMARKS, ScannedHead
from facelmk.synthetic.scanned.image import rasterise
from facelmk.synthetic.scanned.read import END

FILE = Path(os.environ.get('FACELMK_HEAD', Path(__file__).parents[3] / 'shared/data/ict_facekit/head.npz'))
needs_head = pytest.mark.skipif(
    not FILE.is_file(), reason=f'{FILE} is missing: users download the head of ICT-FaceKit themselves'
)


def test_a_file_that_is_no_head_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / 'head.npz', vertices=np.zeros((3, 3)))
    with pytest.raises(DataDefect, match=r'head\.npz'):
        scanned.load_head(str(tmp_path / 'head.npz'))
    with pytest.raises(DataDefect, match='3 vertices'):
        arrays = dict.fromkeys(('vertices', 'faces', 'identity', 'expression', 'expression_names'), np.zeros((3, 3)))
        np.savez(tmp_path / 'small.npz', **arrays)
        scanned.load_head(str(tmp_path / 'small.npz'))


@pytest.mark.fault('S07')
@pytest.mark.parametrize(
    ('name', 'array', 'fact'),
    [
        ('vertices', np.zeros((END, 2), np.float32), 'vertices of shape'),
        ('vertices', np.full((END, 3), np.nan, np.float32), 'vertices that are not finite'),
        ('vertices', np.zeros((END, 3), 'U1'), 'vertices of type'),
        ('faces', np.full((4, 3), END, np.int32), 'faces without vertices'),
        ('faces', np.zeros((0, 3), np.int32), 'faces without vertices'),
        ('identity', np.zeros((2, END - 1, 3), np.float16), 'identity of shape'),
        ('expression', np.zeros((3, END, 3), np.float16), 'expression of shape'),
        ('expression_names', np.array(['jawOpen', 'PupilDilate_L']), "'PupilDilate_R'"),
    ],
)
def test_a_head_with_a_damaged_array_is_refused(name, array, fact, tmp_path: Path) -> None:
    arrays = dict(
        vertices=np.zeros((END, 3), np.float32),
        faces=np.zeros((4, 3), np.int32),
        identity=np.zeros((2, END, 3), np.float16),
        expression=np.zeros((2, END, 3), np.float16),
        expression_names=np.array(['PupilDilate_L', 'PupilDilate_R']),
    )
    np.savez(tmp_path / 'head.npz', **arrays)
    assert read.read_head(tmp_path / 'head.npz').keys() == arrays.keys()
    np.savez(tmp_path / 'head.npz', **(arrays | {name: array}))
    with pytest.raises(DataDefect, match=rf'head\.npz.*{fact}'):
        read.read_head(tmp_path / 'head.npz')


@pytest.mark.fault('S07')
def test_a_packed_head_that_unpacks_to_a_lot_is_refused(tmp_path: Path, monkeypatch) -> None:
    np.savez_compressed(tmp_path / 'head.npz', vertices=np.zeros((END, 3), np.float32))
    monkeypatch.setattr(read, 'MAX_BYTES', 1000)
    with pytest.raises(DataDefect, match=r'head\.npz.*at most 1000'):
        read.read_head(tmp_path / 'head.npz')


@pytest.mark.fault('S07')
def test_a_folder_without_some_of_its_files_is_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(read, 'END', 3)
    names = 'generic_neutral_mesh', 'identity000', 'identity001', 'PupilDilate_L', 'PupilDilate_R'
    for name in names:
        write_obj(tmp_path / f'{name}.obj', np.eye(3), [(0, 1, 2)])
    assert len(read.read_head(tmp_path)['identity']) == 2
    write_obj(tmp_path / 'jawOpen.obj', np.eye(3)[:2])
    with pytest.raises(DataDefect, match=r'jawOpen\.obj has 2 vertices, 3 expected'):
        read.read_head(tmp_path)
    (tmp_path / 'identity000.obj').unlink()
    with pytest.raises(DataDefect, match=r'identity000\.obj'):
        read.read_head(tmp_path)


@pytest.mark.fault('S07')
def test_an_expression_that_the_head_lacks_is_named() -> None:
    head = object.__new__(ScannedHead)
    head.expression, head.identity, head.vertices = {}, np.zeros((1, 2, 3), np.float32), np.zeros((2, 3), np.float32)
    with pytest.raises(DataDefect, match="'jawOpen'"):
        head.shape(np.zeros(1), {'jawOpen': 0.5})


@pytest.mark.parametrize('cache', [False, True])
def test_a_missing_head_is_named_before_a_face_is_drawn(cache: bool, tmp_path: Path) -> None:
    (tmp_path / 'folder').mkdir()
    for head in ('none.npz', 'folder'):
        with pytest.raises(MissingResource, match=head):
            SyntheticFaces(count=2, head=str(tmp_path / head), cache=str(tmp_path / 'cache') if cache else None)
    assert not (tmp_path / 'cache').exists()


def test_a_triangle_covers_its_pixels_and_the_nearer_one_is_visible() -> None:
    projected = np.array([[0, 0], [9, 0], [0, 9], [0, 0], [5, 0], [0, 5]], np.float32)
    depth = np.array([0, 0, 0, 1, 1, 1], np.float32)
    number, second, third = rasterise(projected, depth, np.array([[0, 1, 2], [3, 4, 5]]), 10)
    assert number[8, 0] == 0 and number[1, 1] == 1 and number[9, 9] == -1
    assert second[0, 8] == pytest.approx(8 / 9) and third[0, 8] == pytest.approx(0)


@needs_head
def test_the_texture_has_the_brows_where_the_head_has_them() -> None:
    head = scanned.load_head(str(FILE))
    brows = LANDMARKS[17:27]
    corners, weights = head.triangles_at(head.uv[brows])
    positions = (head.vertices[corners] * weights[..., None]).sum(1)
    assert np.abs(positions - head.vertices[brows]).max() < 0.01
    assert head.vertices[LANDMARKS[36], 0] == pytest.approx(-0.5, abs=0.01)


@needs_head
def test_a_face_depends_on_seed_and_index_alone_and_fits_the_image() -> None:
    head = scanned.load_head(str(FILE))
    face, again = (scanned.draw_scanned_face(head, 7, 3, 96) for _ in range(2))
    assert np.array_equal(face.image, again.image) and face.image.shape == (96, 96, 3)
    described = scanned.draw_scanned_face(head, 7, 3, 96, with_image=False)
    assert np.array_equal(described.landmarks, face.landmarks) and described.image is None
    extent = np.ptp(face.landmarks[:98], axis=0).max()
    assert 0.5 * 96 < extent < 0.7 * 96


@needs_head
def test_the_data_set_has_both_schemes_with_and_without_a_cache(tmp_path: Path) -> None:
    options = dict(markup='wflw_300w', count=2, seed=4, size=64, head=str(FILE))
    cached, direct = (
        SyntheticFaces(**options, cache=str(tmp_path), workers=1).face(1),
        SyntheticFaces(**options).face(1),
    )
    assert np.array_equal(cached['image'], direct['image']) and cached['landmarks'].shape == (166, 2)
    assert np.array_equal(cached['landmarks'], direct['landmarks']) and cached['id'] == direct['id']
    own = SyntheticFaces(**options | {'head': None}).face(1)
    assert own['id'] != cached['id'] and not np.array_equal(own['image'], cached['image'])


def write_obj(file: Path, vertices: np.ndarray, faces: np.ndarray | tuple = ()) -> None:
    lines = [f'v {x:.6f} {y:.6f} {z:.6f}' for x, y, z in vertices]
    file.write_text('\n'.join(lines + [f'f {a + 1}/1 {b + 1}/1 {c + 1}/1' for a, b, c in faces]))


@needs_head
def test_a_folder_of_obj_files_is_the_same_head_as_its_packed_form(tmp_path: Path) -> None:
    with np.load(FILE) as packed:
        arrays = {name: packed[name] for name in packed.files}
    names = arrays['expression_names'].tolist()
    some = [names.index(name) for name in ('PupilDilate_L', 'PupilDilate_R', 'jawOpen')]
    neutral, expression = arrays['vertices'], arrays['expression'][some].astype(np.float32)
    write_obj(tmp_path / 'generic_neutral_mesh.obj', neutral, arrays['faces'])
    for number, change in enumerate(arrays['identity'][:2].astype(np.float32)):
        write_obj(tmp_path / f'identity{number:03d}.obj', neutral + change)
    for number, change in zip(some, expression, strict=True):
        write_obj(tmp_path / f'{names[number]}.obj', neutral + change)
    scanned.pack_head(tmp_path, tmp_path / 'head.npz')
    folder, packed = scanned.load_head(str(tmp_path)), scanned.load_head(str(tmp_path / 'head.npz'))
    original = scanned.load_head(str(FILE))
    for head, bound in ((folder, 1e-5), (packed, 1e-3)):  # packed changes have 16 bits
        assert np.abs(head.vertices - original.vertices).max() < 1e-5 and np.array_equal(head.skin, original.skin)
        assert np.abs(head.identity - original.identity[:2]).max() < bound
        assert list(head.expression) == ['PupilDilate_L', 'PupilDilate_R', 'jawOpen']
