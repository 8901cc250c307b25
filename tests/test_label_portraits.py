"""The map from MediaPipe's mesh to landmarks, and the labels that it gives."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from facelmk.datasets import NpzFaces, SyntheticFaces
from facelmk.markups import MARKUPS
from facelmk.synthetic.landmarks import in_markup

FILE = Path(__file__).parents[1] / 'tools/label_portraits.py'


@pytest.fixture(scope='module')
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location('label_portraits', FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def mesh_of(landmarks: np.ndarray) -> np.ndarray:
    """A made-up mesh (N, 478, 2): linear in the landmarks (N, 104, 2), with the eye corners where MediaPipe has them."""
    weights = np.random.default_rng(0).dirichlet(np.ones(landmarks.shape[1]), 478)
    mesh = np.einsum('pk,nkd->npd', weights, landmarks.astype(float))
    mesh[:, 33], mesh[:, 263] = landmarks[:, 60], landmarks[:, 72]
    return mesh


@pytest.mark.parametrize('count', [40, 1000])
def test_a_linear_map_is_found_in_any_pose(tool: ModuleType, count: int) -> None:
    rng = np.random.default_rng(1)
    shapes = rng.normal(size=(6, 104, 2))  # faces with six degrees of freedom
    landmarks = np.einsum('ns,skd->nkd', rng.normal(size=(count, 6)), shapes) + 5 * rng.normal(size=(104, 2))
    mesh, truth = mesh_of(landmarks), landmarks[:, :98]
    predict = tool.fit(mesh, truth, 1e-9)
    turn = np.array([[0.6, -0.8], [0.8, 0.6]]) * 3
    assert np.abs(predict(mesh @ turn + 40) - (truth @ turn + 40)).max() < 1e-3 * np.ptp(truth)


def test_labels_of_drawn_faces_are_their_landmarks(tool: ModuleType, tmp_path: Path) -> None:
    faces = SyntheticFaces('wflw_300w', 60, seed=9, size=64, cache=str(tmp_path), workers=1)
    landmarks = np.load(faces.cache / 'landmarks.npy')
    mesh, names = mesh_of(landmarks), np.array([f'{i}.jpg' for i in range(60)])
    np.savez(tmp_path / 'mesh.npz', index=np.arange(60), points=mesh)
    np.savez(tmp_path / 'portraits.npz', names=names, points=mesh)
    files = [str(tmp_path / name) for name in ('portraits.npz', 'labels.npz', 'mesh.npz')]
    tool.main(['label', *files[:2], '--mesh', files[2], '--cache', str(faces.cache), '--ridge', '1e-6'])
    labelled = NpzFaces('labels.npz', str(tmp_path), markup='wflw_300w')
    truth = np.stack([in_markup(face, 'wflw_300w') for face in landmarks])
    eyes = np.linalg.norm(truth[:, 60] - truth[:, 72], axis=-1)
    errors = np.linalg.norm([labelled.face(i)['landmarks'] for i in range(60)] - truth, axis=-1).mean(1) / eyes
    assert len(labelled) == 60 and np.median(errors) < 0.02


def test_meshes_of_mirrored_pictures_count_as_much(tool: ModuleType, tmp_path: Path) -> None:
    """The mirrored meshes are right; those of the pictures are 4 pixels too far to the right and down."""
    faces = SyntheticFaces('wflw_300w', 60, seed=9, size=64, cache=str(tmp_path), workers=1)
    mesh = mesh_of(np.load(faces.cache / 'landmarks.npy'))
    np.savez(tmp_path / 'mesh.npz', index=np.arange(60), points=mesh)
    np.savez(tmp_path / 'portraits.npz', names=np.array([f'{i}.jpg' for i in range(60)]), points=mesh + 4)
    mirror = MARKUPS['wflw_300w'].mirror
    truth = np.array([faces.face(i)['landmarks'] for i in range(60)])
    files = [str(tmp_path / name) for name in ('portraits.npz', 'labels.npz', 'mesh.npz', 'mirrored.npz')]
    np.savez(files[3], index=np.arange(59), points=mesh[:59] * [-1, 1] + [63, 0], widths=np.full(59, 64))
    predict = tool.fit(mesh, truth, 0.1)
    expected = predict(mesh[:59] * [-1, 1] + [63, 0])[:, mirror] * [-1, 1] + [63, 0]
    tool.main(['label', *files[:2], '--mesh', files[2], '--cache', str(faces.cache), '--mirrored', files[3]])
    labels = np.load(files[1])['points']
    assert labels[:59] == pytest.approx((predict(mesh[:59] + 4) + expected) / 2, abs=1e-3)
    assert labels[59] == pytest.approx(predict(mesh + 4)[59], abs=1e-3)  # MediaPipe did not find its mirrored face


def test_annotated_faces_decide_the_68_points(tool: ModuleType, tmp_path: Path) -> None:
    faces = SyntheticFaces('wflw_300w', 60, seed=9, size=64, cache=str(tmp_path), workers=1)
    mesh = mesh_of(np.load(faces.cache / 'landmarks.npy'))
    head = ['image_name', 'scale', 'center_w', 'center_h', *(f'{axis}{i}' for i in range(68) for axis in 'xy')]
    rows = [
        [f'{i}.jpg', 1, 30, 30, *(faces.face(i)['landmarks'][98:] + 1 + [4, 0]).ravel()] for i in range(60)
    ]  # counted from 1, and 4 pixels to the right of the drawn ones
    (tmp_path / 'table.csv').write_text('\n'.join(','.join(map(str, row)) for row in [head, *rows]))
    np.savez(tmp_path / 'mesh.npz', index=np.arange(60), points=mesh)
    np.savez(tmp_path / 'portraits.npz', names=np.array([f'{i}.jpg' for i in range(60)]), points=mesh)
    files = [str(tmp_path / name) for name in ('portraits.npz', 'labels.npz', 'mesh.npz', 'table.csv')]
    options = ['--mesh', files[2], '--cache', str(faces.cache), '--real', files[2], '--table', files[3]]
    tool.main(['label', *files[:2], *options])
    labels = np.load(files[1])['points']
    truth = np.array([faces.face(i)['landmarks'] for i in range(60)])
    moved = np.median(labels[:, 98:] - truth[:, 98:], axis=(0, 1))
    assert moved == pytest.approx([4, 0], abs=0.3)
    assert all(np.array_equal(labels[:, a], labels[:, b]) for a, b in MARKUPS['wflw_300w'].same)
