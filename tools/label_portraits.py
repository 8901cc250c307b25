"""Label pictures of faces with 98 and 68 points, from the 478 points of MediaPipe's face mesh.

A ridge regression maps the mesh to landmarks. It is fitted on drawn faces, whose landmarks are exact. With --real, a
table of annotated faces decides the 68 points. With --mirrored, the labels are the mean of those of the picture and of
the mirrored picture. With --network, a share of them is what an already trained network finds.

    python tools/label_portraits.py mesh drawn.npz --cache .cache/drawn/synthetic-v5-11-0-20000-160   # needs mediapipe
    python tools/label_portraits.py label portraits.npz labels.npz --mesh drawn.npz --cache .cache/drawn/synthetic-...

    python tools/label_portraits.py mesh mirrored.npz --portraits portraits.npz --images FOLDER
    python tools/label_portraits.py label portraits.npz labels.npz --mesh drawn.npz --cache .cache/drawn/synthetic-... \
        --mirrored mirrored.npz --network facelmk_nano.pth --images FOLDER

`portraits.npz` has the names (N,) of the pictures and the points (N, 478, 2 or more) of their meshes, in pixels of the
pictures. `labels.npz` is what `NpzFaces` reads.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import cv2  # noqa: E402
import numpy as np  # noqa: E402

from facelmk.datasets import CsvFaces  # noqa: E402
from facelmk.datasets.records import tight_boxes  # noqa: E402
from facelmk.files.atomic import atomic_write  # noqa: E402
from facelmk.markups import MARKUPS  # noqa: E402
from facelmk.synthetic.landmarks import in_markup  # noqa: E402

LEFT_EYE, RIGHT_EYE = 33, 263  # the outer eye corners of the mesh
CROP_PX, PADDING = 256, 1.6  # what MediaPipe sees: the square around the landmarks, enlarged by the padding
MAX_ERROR = 0.12  # a mesh with a larger mean error, as a share of the distance of the eye corners, has missed the face
JOINED = MARKUPS['wflw_300w']
Map = Callable[[np.ndarray], np.ndarray]  # from meshes (N, 478, 2) to landmarks (N, K, 2)
Frames = tuple[np.ndarray, np.ndarray, np.ndarray]  # centres (N, 2), lengths (N,), rotations (N, 2, 2)


def main(arguments: list[str] | None = None) -> None:
    """Run one of the two steps."""
    parser = argparse.ArgumentParser(
        'label_portraits', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    steps = parser.add_subparsers(dest='step', required=True)
    mesh = steps.add_parser('mesh', help="run MediaPipe's face mesh (Apache-2.0; pip install mediapipe==0.10.21)")
    mesh.add_argument('out', help='the .npz to write')
    mesh.add_argument('--cache', help='the cache of drawn faces')
    mesh.add_argument('--count', type=int, default=6000, help='use the first COUNT drawn faces (default: 6000)')
    mesh.add_argument('--table', help="or a table in HRNet's format with 68 points, counted from 1")
    mesh.add_argument('--portraits', help='or an .npz with names and points: the pictures are mirrored first')
    mesh.add_argument('--images', default='.', help='the folder of the pictures of the table or of the portraits')
    label = steps.add_parser('label', help='fit the map and write the labels')
    label.add_argument('points', help='an .npz with names (N,) and points (N, 478, 2 or more)')
    label.add_argument('out', help='the .npz to write')
    label.add_argument('--mesh', required=True, nargs='+', help='the meshes of drawn faces')
    label.add_argument('--cache', required=True, nargs='+', help='the caches of the same drawn faces')
    label.add_argument('--real', help='the mesh of annotated faces')
    label.add_argument('--table', help='their table')
    label.add_argument('--mirrored', help='the meshes of the mirrored pictures')
    label.add_argument('--network', help='the weights of facelmk_nano, or of facelmk_nano_lfpw')
    label.add_argument('--images', default='.', help='the folder of the pictures, for --network')
    label.add_argument('--share', type=float, default=0.3, help="the network's share of the labels (default: 0.3)")
    label.add_argument('--ridge', type=float, default=0.1, help='the weight of the penalty (default: 0.1)')
    options = parser.parse_args(arguments)
    (write_mesh if options.step == 'mesh' else write_labels)(options)


def write_mesh(options: argparse.Namespace) -> None:
    """Write the points (M, 478, 2) of the faces that MediaPipe finds, and the numbers (M,) of these faces."""
    os.environ['GLOG_minloglevel'] = '3'  # noqa: SIM112, this is its name; TensorFlow Lite logs a line for each face
    import mediapipe

    face_mesh = mediapipe.solutions.face_mesh.FaceMesh(
        static_image_mode=True, max_num_faces=1, refine_landmarks=True, min_detection_confidence=0.3
    )
    numbers, meshes, widths, total = [], [], [], 0
    for number, (image, landmarks) in enumerate(_faces(options)):
        low, high = landmarks.min(0), landmarks.max(0)
        scale = CROP_PX / ((high - low).max() * PADDING)
        offset = (CROP_PX - 1) / 2 - scale * (low + high) / 2
        warp = np.array([[scale, 0, offset[0]], [0, scale, offset[1]]])
        crop = cv2.warpAffine(image, warp, (CROP_PX, CROP_PX), borderMode=cv2.BORDER_REPLICATE)
        faces = face_mesh.process(np.ascontiguousarray(crop[..., ::-1])).multi_face_landmarks
        total += 1
        if faces:
            points = np.array([[point.x, point.y] for point in faces[0].landmark]) * CROP_PX - 0.5
            numbers.append(number)
            widths.append(image.shape[1])
            meshes.append((points - offset) / scale)
    _save(options.out, index=np.array(numbers), points=np.array(meshes, np.float32), widths=np.array(widths))
    print(f'MediaPipe found {len(numbers)} of {total} faces')


def _save(path: str, **arrays: np.ndarray) -> None:
    atomic_write(Path(path), lambda file: np.savez(file, **arrays))


def _faces(options: argparse.Namespace) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield images and landmarks of drawn faces, of the faces of a table, or of mirrored portraits."""
    if options.portraits:
        for name, mesh in zip(*_read(options.portraits), strict=True):
            image = cv2.imread(str(Path(options.images, name)))
            yield np.ascontiguousarray(image[:, ::-1]), mesh * [-1, 1] + [image.shape[1] - 1, 0]
    elif options.cache:
        images = np.load(Path(options.cache, 'image.npy'), mmap_mode='r')
        landmarks = np.load(Path(options.cache, 'landmarks.npy'), mmap_mode='r')
        for i in range(min(options.count, len(images))):
            yield np.array(images[i]), np.array(landmarks[i][:98])
    else:
        for face in _annotated(options.table, options.images):
            yield cv2.imread(face['path']), face['landmarks']


def _annotated(table: str, images: str = '') -> Sequence[dict[str, Any]]:
    """Return the faces of a table with 68 points."""
    return CsvFaces(str(Path(table).resolve()), image_root=images, markup='300w', origin=1).faces


def write_labels(options: argparse.Namespace) -> None:
    """Write the labels of pictures whose meshes are known."""
    mesh, truth = _drawn_pairs(options.mesh, options.cache)
    error = np.linalg.norm(fit(mesh, truth, 0.01)(mesh) - truth, axis=-1).mean(1)
    good = error < MAX_ERROR * np.linalg.norm(truth[:, 60] - truth[:, 72], axis=-1)
    predict = fit(mesh[good], truth[good], options.ridge)
    if options.real:
        predict = _decided_by_annotations(predict, options)
    names, points = _read(options.points)
    labels = predict(points)
    if options.mirrored:
        labels = _with_mirrored(labels, predict, options)
    if options.network:
        labels += options.share * (_found_by_network(names, labels, options) - labels)
    _save(options.out, names=names, points=labels.astype(np.float32), boxes=_boxes(labels))
    print(f'The map is fitted on {good.sum()} of {len(good)} drawn faces. {len(labels)} pictures have labels.')


def _read(file: str) -> tuple[np.ndarray, np.ndarray]:
    """The names (N,) of the pictures, and their meshes (N, 478, 2)."""
    with np.load(file) as archive:
        return archive['names'], archive['points'][..., :2].astype(float)


def _boxes(labels: np.ndarray) -> np.ndarray:
    return tight_boxes(labels[:, 98:], np.ones((len(labels), 68))).astype(np.float32)


def _decided_by_annotations(predict: Map, options: argparse.Namespace) -> Map:
    """Return a map whose 68 points are fitted on annotated faces."""
    real, faces = np.load(options.real), _annotated(options.table)
    annotated = np.array([faces[i]['landmarks'] for i in real['index']], float)
    predict_annotated = fit(real['points'][..., :2].astype(float), annotated, 0.01)

    def predict_both(points: np.ndarray) -> np.ndarray:
        labels = predict(points)
        labels[:, 98:] = predict_annotated(points)
        for a, b in JOINED.same:
            labels[:, a] = labels[:, b]
        return labels

    return predict_both


def _with_mirrored(labels: np.ndarray, predict: Map, options: argparse.Namespace) -> np.ndarray:
    """Return the mean of the labels and those of the mirrored pictures, where MediaPipe has found the mirrored face."""
    mirrored = np.load(options.mirrored)
    index = mirrored['index']
    back = predict(mirrored['points'].astype(float))[:, JOINED.mirror] * [-1, 1]
    back[..., 0] += mirrored['widths'][:, None] - 1
    labels = labels.copy()
    labels[index] = (labels[index] + back) / 2
    return labels


def _found_by_network(names: np.ndarray, labels: np.ndarray, options: argparse.Namespace) -> np.ndarray:
    """Return the landmarks that a network finds in the boxes of the labels."""
    import facelmk

    model = facelmk.load('facelmk_nano', options.network, flip_test=True, markup=JOINED.name)
    pictures = [str(Path(options.images, name)) for name in names]
    found = [model(picture, boxes=box[None]) for picture, box in zip(pictures, _boxes(labels), strict=True)]
    return np.array([faces[0].landmarks for faces in found], float)


def _drawn_pairs(meshes: list[str], caches: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the meshes (M, 478, 2) of drawn faces and their landmarks (M, 166, 2)."""
    inputs, outputs = [], []
    for file, cache in zip(meshes, caches, strict=True):
        mesh, landmarks = np.load(file), np.load(Path(cache, 'landmarks.npy'), mmap_mode='r')
        inputs.append(mesh['points'][..., :2].astype(float))
        outputs.append(np.stack([in_markup(face, JOINED.name) for face in landmarks[mesh['index']]]).astype(float))
    return np.concatenate(inputs), np.concatenate(outputs)


def fit(mesh: np.ndarray, truth: np.ndarray, ridge: float) -> Map:
    """Fit a ridge regression from meshes (N, 478, 2) to landmarks (N, K, 2), relative to the mesh's eye corners."""
    frames = _frames(mesh)
    inputs, outputs = _into(mesh, frames).reshape(len(mesh), -1), _into(truth, frames).reshape(len(mesh), -1)
    shift, mean, scale = inputs.mean(0), outputs.mean(0), inputs.std(0).mean()
    inputs, penalty = (inputs - shift) / scale, ridge * len(inputs)
    if len(inputs) < inputs.shape[1]:  # the smaller of two equivalent systems
        kernel = inputs @ inputs.T + penalty * np.eye(len(inputs))
        weights = inputs.T @ np.linalg.solve(kernel, outputs - mean)
    else:
        covariance = inputs.T @ inputs + penalty * np.eye(inputs.shape[1])
        weights = np.linalg.solve(covariance, inputs.T @ (outputs - mean))

    def predict(points: np.ndarray) -> np.ndarray:
        centre, length, rotation = frames = _frames(points)
        flat = (_into(points, frames).reshape(len(points), -1) - shift) / scale @ weights + mean
        relative = flat.reshape(len(points), -1, 2) * length[:, None, None]
        return np.einsum('nji,nkj->nki', rotation, relative) + centre[:, None]

    return predict


def _frames(mesh: np.ndarray) -> Frames:
    """Return the middle of the eye corners, their distance, and the rotation that makes their line horizontal."""
    left, right = mesh[:, LEFT_EYE], mesh[:, RIGHT_EYE]
    length = np.linalg.norm(right - left, axis=1)
    across = (right - left) / length[:, None]
    return (left + right) / 2, length, np.stack([across, np.stack([-across[:, 1], across[:, 0]], -1)], 1)


def _into(points: np.ndarray, frames: Frames) -> np.ndarray:
    centre, length, rotation = frames
    return np.einsum('nij,nkj->nki', rotation, points - centre[:, None]) / length[:, None, None]


if __name__ == '__main__':
    sys.exit(main())
