"""Read ICT-FaceKit's head (https://github.com/ICT-VGL/ICT-FaceKit): its folder of .obj files, or these in one .npz."""

import zlib
from pathlib import Path

import numpy as np

from ...errors import DataDefect, MissingResource
from ...files.atomic import atomic_write

SKIN, GUMS, TEETH, EYES, END = (
    11248,
    14062,
    17039,
    21451,
    24591,
)  # skin ends, then each part begins; END is the last end
LEFT_EYE, RIGHT_EYE = slice(23021, END), slice(EYES, 23021)  # left and right in the image
ARRAYS = ('vertices', 'faces', 'identity', 'expression', 'expression_names')
MAX_BYTES = 1 << 28  # of all arrays together; the head as it is published has 25 MB
EXPECTED = "Expected ICT-FaceKit's folder FaceXModel, or an .npz that pack_head has made from it"
_NEUTRAL = 'generic_neutral_mesh.obj'
_WITHOUT_SIDE = {  # expressions of the whole face; the names of all others end in _L or _R
    'jawForward',
    'jawLeft',
    'jawOpen',
    'jawRight',
    'mouthClose',
    'mouthFunnel',
    'mouthLeft',
    'mouthPucker',
    'mouthRight',
    'mouthRollLower',
    'mouthRollUpper',
    'mouthShrugLower',
    'mouthShrugUpper',
}


def read_head(path: Path) -> dict[str, np.ndarray]:
    """Return vertices (N, 3), faces (F, 3), changes by identity (M, N, 3) and expression (E, N, 3), and E names."""
    check_exists(path)
    arrays = _read_folder(path) if path.is_dir() else _read_archive(path)
    if len(arrays['vertices']) < END:
        raise DataDefect(f'head={path} has {len(arrays["vertices"])} vertices, at least {END} expected. {EXPECTED}')
    if wrong := _wrong_array(arrays):
        raise DataDefect(f'head={path} has {wrong}. {EXPECTED}')
    missing = {'PupilDilate_L', 'PupilDilate_R'} - set(arrays['expression_names'].tolist())
    if missing:
        raise DataDefect(f'head={path} has no expression {min(missing)!r}. {EXPECTED}')
    return arrays


def _wrong_array(arrays: dict[str, np.ndarray]) -> str | None:
    """What is wrong with the shape, type or values of the arrays of a head; None if nothing is."""
    N, E = len(arrays['vertices']), len(arrays['expression_names'])
    shapes = dict(vertices=(N, 3), faces=(None, 3), identity=(None, N, 3), expression=(E, N, 3), expression_names=(E,))
    kinds = dict(faces='i', expression_names='U')
    for name, shape in shapes.items():
        array = arrays[name]
        if array.ndim != len(shape) or any(n not in (None, m) for n, m in zip(shape, array.shape, strict=True)):
            return f'{name} of shape {array.shape}'
        if array.dtype.kind != kinds.get(name, 'f'):
            return f'{name} of type {array.dtype}'
        if array.dtype.kind == 'f' and not np.isfinite(array).all():
            return f'{name} that are not finite'
    faces = arrays['faces']
    return None if len(faces) and faces.min() >= 0 and faces.max() < N else 'faces without vertices'


def check_exists(path: Path) -> None:
    """Raise MissingResource if there is no such folder or file."""
    file = path / _NEUTRAL if path.is_dir() else path
    if not file.is_file():
        raise MissingResource(
            f'head={path}: {file} is not there (from {Path.cwd()}). {EXPECTED}. Download it from '
            'https://github.com/ICT-VGL/ICT-FaceKit, or train without this head'
        )


def checksum(path: Path) -> int:
    """Return the CRC-32 of a head's file, or of the neutral mesh in its folder: a part of the name of a cache."""
    check_exists(path)
    return zlib.crc32((path / _NEUTRAL if path.is_dir() else path).read_bytes())


def pack_head(folder: str | Path, file: str | Path) -> None:
    """Write a folder of .obj files as one .npz, which loads many times faster; `file` gets this ending."""
    check_exists(Path(folder))
    arrays = _read_folder(Path(folder))
    half = {name: arrays[name].astype(np.float16) for name in ('identity', 'expression')}
    path = Path(file) if Path(file).suffix == '.npz' else Path(f'{file}.npz')
    atomic_write(path, lambda stream: np.savez_compressed(stream, **(arrays | half)))  # type: ignore[arg-type]


def _read_archive(file: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(file, allow_pickle=False) as archive:
            size = sum(entry.file_size for entry in archive.zip.infolist())
            if size > MAX_BYTES:
                raise ValueError(f'unpacked it has {size} bytes, at most {MAX_BYTES} expected')
            return {name: archive[name] for name in ARRAYS}
    except Exception as error:  # NumPy has a dozen kinds for damaged archives
        raise DataDefect(f'head={file} is no packed head ({error}). {EXPECTED}') from error


def _read_folder(folder: Path) -> dict[str, np.ndarray]:
    vertices, faces = _read_obj(folder / _NEUTRAL)
    vertices, faces = vertices[:END], faces[(faces < END).all(1)]
    files = sorted(folder.glob('*.obj'))
    identity = [file for file in files if file.stem.startswith('identity')]
    expression = [
        file
        for file in files
        if file not in identity and (file.stem[-2:] in ('_L', '_R') or file.stem in _WITHOUT_SIDE)
    ]
    if not identity or not expression:
        raise DataDefect(f'head={folder} has no files of {"identities" if not identity else "expressions"}. {EXPECTED}')
    absent = {f'identity{number:03d}' for number in range(len(identity))} - {file.stem for file in identity}
    if absent:
        raise DataDefect(f'head={folder} has {len(identity)} identities, but not {min(absent)}.obj. {EXPECTED}')
    return dict(
        vertices=vertices,
        faces=faces,
        identity=np.stack([_changes(file, vertices) for file in identity]),
        expression=np.stack([_changes(file, vertices) for file in expression]),
        expression_names=np.array([file.stem for file in expression]),
    )


def _changes(file: Path, neutral: np.ndarray) -> np.ndarray:
    """Return how a mesh differs from the neutral one, (N, 3)."""
    vertices = _read_obj(file)[0][:END]
    if vertices.shape != neutral.shape:
        raise DataDefect(f'{file} has {len(vertices)} vertices, {len(neutral)} expected. {EXPECTED}')
    return vertices - neutral


def _read_obj(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the vertices (N, 3), and the polygons cut into triangles (F, 3)."""
    vertices, triangles = [], []
    try:
        for line in file.read_text(encoding='utf-8').splitlines():
            if line.startswith('v '):
                vertices.append(line.split()[1:4])
            elif line.startswith('f '):
                corners = [int(corner.partition('/')[0]) - 1 for corner in line.split()[1:]]
                triangles += [(corners[0], corners[k], corners[k + 1]) for k in range(1, len(corners) - 1)]
        return np.array(vertices, np.float32).reshape(-1, 3), np.array(triangles, np.int32).reshape(-1, 3)
    except (OSError, ValueError) as error:
        raise DataDefect(f'{file} is no .obj file of a mesh ({error}). {EXPECTED}') from error
