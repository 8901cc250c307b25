"""Mutated files of one format, one by one: `python -m faults.fuzzing KIND COUNT FOLDER [SEED]` prints figures."""

import json
import random
import re
import struct
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from facelmk.datasets import CocoFaces, CofwMat, CsvFaces, LapaTxt, Mat300WLP, PtsFaces, WflwTxt
from facelmk.datasets.images.decode import read_image
from facelmk.errors import FacelmkError

from . import annotations as made
from .written import written

# fmt: off
TOKENS = [
    b'NaN', b'-Infinity', b'1e999', b'9' * 400, b'9' * 5000, b'-1', b'null', b'true', b'""', b'[]', b'{}', b'{', b'}',
    b'[', b']', b',', b';', b'"', b':', b'\0', b'\xff\xfe', b'\xef\xbb\xbf', b'\r\n', b'\n', b' ', b'\\ud800', b'#',
    b'//', b'[' * 3000, b'{"a":' * 2000, b'0x10', b'1_0', b'../../etc/passwd', b'/', b'\xe2\x80\xa8', b'%s%n',
    b'\x1b[2J', b'"__instance_type__": ["os", "x"],', b'face_kpts', b'"id": {}', b'"image_id": []', b'"bbox": [1]']
# fmt: on
KINDS = {
    'json': ('a.json', made.write_json, lambda folder: CocoFaces('a.json', folder, markup='five')),
    'csv': ('a.csv', made.write_csv, lambda folder: CsvFaces('a.csv', folder, markup='five')),
    'wflw': ('a.txt', made.write_wflw, lambda folder: WflwTxt('a.txt', folder)),
    'pts': ('a.pts', made.write_pts, lambda folder: PtsFaces('', folder, markup='five')),
    'lapa': ('a.txt', made.write_lapa, lambda folder: LapaTxt('', folder)),
    'mat5': (
        'a.mat',
        lambda file: made.write_mat5(file, packed=file.parent.name.endswith('1')),
        lambda folder: CofwMat('a.mat', folder, markup='cofw'),
    ),
    'mat7': ('a.mat', made.write_mat7, lambda folder: CofwMat('a.mat', folder, markup='cofw')),
    'mat_lp': ('AFW/a.mat', made.write_lp, lambda folder: Mat300WLP(data_root=folder)),
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


def mutated(sound: bytes, rng: random.Random, tokens: list[bytes] = TOKENS, head: int = 1 << 30) -> bytes:
    """A file with one to four changes in its first `head` bytes."""
    text = bytearray(sound)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(min(len(text), head) + 1)
        end = min(len(text), place + rng.choice([1, 4, 16, 200]))
        change = rng.randrange(7)
        if change == 0 and place < len(text):
            text[place] ^= 1 << rng.randrange(8)
        elif change == 1:
            del text[place:]
        elif change == 2:
            text[place:place] = rng.choice(tokens)
        elif change == 3:
            text[place:end] = rng.choice(tokens)
        elif change == 4:
            text[place:place] = text[place:end] * rng.choice([1, 3, 100])
        elif change == 5:
            del text[place:end]
        else:
            text[place:end] = rng.randbytes(end - place)
    return bytes(text)


def annotations(kind: str, folder: Path, seed: str) -> tuple[Callable[[int], None], Callable[[], bool]]:
    """What makes the mutated file of a number, and what reads it."""
    name, write, read = KINDS[kind]
    sound = write(folder / name).read_bytes()

    def use() -> bool:
        found = read(folder)
        return all(found.face(i) for i in range(len(found)))

    def make(number: int) -> None:
        (folder / name).write_bytes(mutated(sound, random.Random(f'{kind} {number}{seed}')))

    return make, use


def pictures(kind: str, folder: Path, seed: str) -> tuple[Callable[[int], None], Callable[[], bool]]:
    """The same of a picture, in whose first bytes most changes are; what has been read must be a picture."""
    colours = Image.fromarray(np.random.default_rng(1).integers(0, 256, (30, 40, 3), np.uint8)).resize((80, 60))
    sound = [
        written(
            colours.convert(how.get('mode', 'RGB')),
            kind,
            **{k: v for k, v in how.items() if k != 'mode'},
            **({'append_images': [colours.rotate(9)]} if 'save_all' in how else {}),
        )
        for how in PICTURES[kind]
    ]
    file = folder / 'a.picture'
    file.write_bytes(sound[0])

    def make(number: int) -> None:
        rng = random.Random(f'{kind} {number}{seed}')
        content = mutated(sound[number % len(sound)], rng, PIECES, rng.choice([40, 200, 1 << 30]))
        file.write_bytes(checked(content) if kind == 'png' and rng.random() < 0.9 else content)

    def use() -> bool:
        image = read_image(file)
        return image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3

    return make, use


def checked(content: bytes) -> bytes:
    """A PNG with right check sums, without which nothing in it is read."""
    place, parts = 8, [content[:8]]
    while place + 12 <= len(content):
        end = place + 8 + struct.unpack_from('>I', content, place)[0]
        parts += [content[place:end], struct.pack('>I', zlib.crc32(content[place + 4 : end]))]
        place = end + 4
    return b''.join(parts) + content[place:]


def main(kind: str, count: int, folder: Path, seed: str = '') -> None:
    """Read the mutated files and print what came of them."""
    folder.mkdir(parents=True, exist_ok=True)
    make, use = (annotations if kind in KINDS else pictures)(kind, folder, seed)
    assert use()
    before, slowest, ends, escaped = peak(), (0.0, -1), Counter(), {}
    for number in range(count):
        make(number)
        begin = time.perf_counter()
        try:
            ends['read' if use() else 'wrong'] += 1
        except FacelmkError as error:
            ends[type(error).__name__] += 1
            str(error).encode()
        except Exception as error:
            escaped[number] = f'{type(error).__name__}: {error}'[:200]
        slowest = max(slowest, (time.perf_counter() - begin, number))
    print(
        json.dumps(
            {
                'kind': kind,
                'count': count,
                'ends': ends,
                'escaped': escaped,
                'slowest': slowest,
                'more_mib': peak() - before,
            }
        )
    )


def peak() -> float:
    """The most memory that this process had so far, in MiB; rusage would tell that of the process that started it."""
    return int(re.search(r'VmHWM:\s+(\d+)', Path('/proc/self/status').read_text())[1]) / 1024


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), *sys.argv[4:])
