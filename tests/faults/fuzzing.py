"""Mutated files of one format, one by one: `python -m faults.fuzzing KIND COUNT FOLDER [SEED]` prints figures."""

import io
import json
import random
import re
import struct
import sys
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from helpers.annotation_tools import Face, human_face, write_cvat, write_label_studio
from PIL import Image

from facelmk.datasets import CocoFaces, CofwMat, CsvFaces, LapaTxt, Mat300WLP, NpzFaces, PtsFaces, WflwTxt
from facelmk.datasets.images.decode import read_image
from facelmk.datasets.open_faces import open_faces
from facelmk.errors import FacelmkError

from . import annotations as files
from .encode import encode


def files_of_tools() -> list[Face]:
    """Three faces of five named points."""
    rng = np.random.default_rng(0)
    names = ['left_eye', 'right_eye', 'nose', 'left_mouth', 'right_mouth']
    return [{'name': f'{i}.png', 'points': human_face(rng, names)} for i in range(3)]


# fmt: off
TOKENS = [
    b'NaN', b'-Infinity', b'1e999', b'9' * 400, b'9' * 5000, b'-1', b'null', b'true', b'""', b'[]', b'{}', b'{', b'}',
    b'[', b']', b',', b';', b'"', b':', b'\0', b'\xff\xfe', b'\xef\xbb\xbf', b'\r\n', b'\n', b' ', b'\\ud800', b'#',
    b'//', b'[' * 3000, b'{"a":' * 2000, b'0x10', b'1_0', b'../../etc/passwd', b'/', b'\xe2\x80\xa8', b'%s%n',
    b'\x1b[2J', b'"__instance_type__": ["os", "x"],', b'face_kpts', b'"id": {}', b'"image_id": []', b'"bbox": [1]']
# fmt: on
KINDS = {
    'json': ('a.json', files.write_json, lambda folder: CocoFaces('a.json', folder, markup='five')),
    'csv': ('a.csv', files.write_csv, lambda folder: CsvFaces('a.csv', folder, markup='five')),
    'cvat': ('a.xml', lambda file: write_cvat(file, files_of_tools()), lambda folder: open_faces(folder / 'a.xml')),
    'studio': (
        'a.json',
        lambda file: write_label_studio(file, files_of_tools()),
        lambda folder: open_faces(folder / 'a.json'),
    ),
    'npz': ('a.npz', files.write_npz, lambda folder: NpzFaces('a.npz', folder, markup='five')),
    'wflw': ('a.txt', files.write_wflw, lambda folder: WflwTxt('a.txt', folder)),
    'pts': ('a.pts', files.write_pts, lambda folder: PtsFaces('', folder, markup='five')),
    'lapa': ('a.txt', files.write_lapa, lambda folder: LapaTxt('', folder)),
    'mat5': (
        'a.mat',
        lambda file: files.write_mat5(file, packed=file.parent.name.endswith('1')),
        lambda folder: CofwMat('a.mat', folder, markup='cofw'),
    ),
    'mat7': ('a.mat', files.write_mat7, lambda folder: CofwMat('a.mat', folder, markup='cofw')),
    'mat_lp': ('AFW/a.mat', files.write_lp, lambda folder: Mat300WLP(data_root=folder)),
}
# fmt: off
PIECES = [
    b'\xff' * 4, bytes(4), b'\xff\xff\xff\x7f', b'\0\0\0\x80', b'IHDR', b'IDAT', b'IEND', b'acTL', b'fcTL',
    b'ANMF', b'VP8X', b'EXIF', b'Exif\0\0', b'II*\0', b'\xff\xd8', b'\xff\xd9', b'\xff\xda', b'\xff\x4f\xff\x51',
    b'jp2c', b'\x2c\0\0\0\0\xff\xff\xff\xff', b'\xff\xc0\x00\x0b\x08\xff\xff\xff\xff\x01\x01\x11\x00']
# fmt: on
PICTURES = {
    'png': [{}, {'mode': 'P'}, {'mode': 'LA'}, {'mode': '1'}],
    'jpeg': [{}, {'progressive': True}, {'mode': 'CMYK'}],
    'webp': [{}, {'lossless': True}, {'mode': 'RGBA', 'save_all': True}],
    'gif': [{'mode': 'P'}, {'mode': 'P', 'save_all': True}],
    'bmp': [{}, {'mode': 'P'}, {'mode': '1'}],
    'tiff': [
        {},
        {'compression': 'tiff_lzw'},
        {'mode': 'RGBA'},
        {'compression': 'jpeg'},
        {'mode': '1', 'compression': 'group4'},
    ],
    'ppm': [{}, {'mode': 'L'}, {'mode': '1'}],
    'jpeg2000': [{}],
}


def mutate(valid: bytes, rng: random.Random, tokens: list[bytes] = TOKENS, head: int = 1 << 30) -> bytes:
    """A file with one to four changes in its first `head` bytes."""
    text = bytearray(valid)
    for _ in range(rng.randint(1, 4)):
        offset = rng.randrange(min(len(text), head) + 1)
        end = min(len(text), offset + rng.choice([1, 4, 16, 200]))
        change = rng.randrange(7)
        if change == 0 and offset < len(text):
            text[offset] ^= 1 << rng.randrange(8)
        elif change == 1:
            del text[offset:]
        elif change == 2:
            text[offset:offset] = rng.choice(tokens)
        elif change == 3:
            text[offset:end] = rng.choice(tokens)
        elif change == 4:
            text[offset:offset] = text[offset:end] * rng.choice([1, 3, 100])
        elif change == 5:
            del text[offset:end]
        else:
            text[offset:end] = rng.randbytes(end - offset)
    return bytes(text)


def mutate_member(valid: bytes, rng: random.Random) -> bytes:
    """Return a zip with changes in one member; its checksums are right, because readers stop at wrong ones."""
    with zipfile.ZipFile(io.BytesIO(valid)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(sorted(members))
    members[name] = mutate(members[name], rng, head=rng.choice([128, 1 << 30]))
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return file.getvalue()


def prepare_annotations(kind: str, folder: Path, seed: str) -> tuple[Callable[[int], None], Callable[[], bool]]:
    """Return a function that writes mutated file number n, and one that reads it."""
    name, write, read = KINDS[kind]
    valid = write(folder / name).read_bytes()

    def read_one() -> bool:
        result = read(folder)
        return all(result.face(i) for i in range(len(result)))

    def make(number: int) -> None:
        rng = random.Random(f'{kind} {number}{seed}')
        change = mutate_member if kind == 'npz' and rng.random() < 0.8 else mutate
        (folder / name).write_bytes(change(valid, rng))

    return make, read_one


def prepare_pictures(kind: str, folder: Path, seed: str) -> tuple[Callable[[int], None], Callable[[], bool]]:
    """Return the same for a picture; most changes are in its first bytes."""
    colours = Image.fromarray(np.random.default_rng(1).integers(0, 256, (30, 40, 3), np.uint8)).resize((80, 60))
    valid = [
        encode(
            colours.convert(how.get('mode', 'RGB')),
            kind,
            **{k: v for k, v in how.items() if k != 'mode'},
            **({'append_images': [colours.rotate(9)]} if 'save_all' in how else {}),
        )
        for how in PICTURES[kind]
    ]
    file = folder / 'a.picture'
    file.write_bytes(valid[0])

    def make(number: int) -> None:
        rng = random.Random(f'{kind} {number}{seed}')
        content = mutate(valid[number % len(valid)], rng, PIECES, rng.choice([40, 200, 1 << 30]))
        file.write_bytes(with_right_checksums(content) if kind == 'png' and rng.random() < 0.9 else content)

    def read_one() -> bool:
        image = read_image(file)
        return image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3

    return make, read_one


def with_right_checksums(content: bytes) -> bytes:
    """Return a PNG with right checksums, because decoders ignore chunks with wrong ones."""
    offset, parts = 8, [content[:8]]
    while offset + 12 <= len(content):
        end = offset + 8 + struct.unpack_from('>I', content, offset)[0]
        parts += [content[offset:end], struct.pack('>I', zlib.crc32(content[offset + 4 : end]))]
        offset = end + 4
    return b''.join(parts) + content[offset:]


def main(kind: str, count: int, folder: Path, seed: str = '') -> None:
    """Read the mutated files and print the outcomes."""
    folder.mkdir(parents=True, exist_ok=True)
    make, read_one = (prepare_annotations if kind in KINDS else prepare_pictures)(kind, folder, seed)
    assert read_one()
    before, slowest, outcomes, escaped = peak(), (0.0, -1), Counter(), {}
    for number in range(count):
        make(number)
        begin = time.perf_counter()
        try:
            outcomes['read' if read_one() else 'wrong'] += 1
        except FacelmkError as error:
            outcomes[type(error).__name__] += 1
            str(error).encode()
        except Exception as error:
            escaped[number] = f'{type(error).__name__}: {error}'[:200]
        slowest = max(slowest, (time.perf_counter() - begin, number))
    print(
        json.dumps(
            {
                'kind': kind,
                'count': count,
                'ends': outcomes,
                'escaped': escaped,
                'slowest': slowest,
                'more_mib': peak() - before,
            }
        )
    )


def peak() -> float:
    """Return the peak memory of this process in MiB; rusage would include that of its parent."""
    return int(re.search(r'VmHWM:\s+(\d+)', Path('/proc/self/status').read_text())[1]) / 1024


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), *sys.argv[4:])
