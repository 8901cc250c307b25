"""Mutated annotation files of one format, one by one: `python -m faults.fuzzing KIND COUNT FOLDER` prints figures."""
import json
import random
import resource
import sys
import time
from collections import Counter
from pathlib import Path

from facelmk.datasets import CocoFaces, CofwMat, CsvFaces, LapaTxt, PtsFaces, WflwTxt
from facelmk.registry import FacelmkError

from . import annotations as made

TOKENS = [
    b'NaN', b'-Infinity', b'1e999', b'9' * 400, b'9' * 5000, b'-1', b'null', b'true', b'""', b'[]', b'{}', b'{', b'}',
    b'[', b']', b',', b';', b'"', b':', b'\0', b'\xff\xfe', b'\xef\xbb\xbf', b'\r\n', b'\n', b' ', b'\\ud800', b'#',
    b'//', b'[' * 3000, b'{"a":' * 2000, b'0x10', b'1_0', b'../../etc/passwd', b'/', b'\xe2\x80\xa8', b'%s%n',
    b'\x1b[2J', b'"__instance_type__": ["os", "x"],', b'face_kpts', b'"id": {}', b'"image_id": []', b'"bbox": [1]']
KINDS = {
    'json': ('a.json', made.write_json, lambda folder: CocoFaces('a.json', folder, markup='five')),
    'csv': ('a.csv', made.write_csv, lambda folder: CsvFaces('a.csv', folder, markup='five')),
    'wflw': ('a.txt', made.write_wflw, lambda folder: WflwTxt('a.txt', folder)),
    'pts': ('a.pts', made.write_pts, lambda folder: PtsFaces('', folder, markup='five')),
    'lapa': ('a.txt', made.write_lapa, lambda folder: LapaTxt('', folder)),
    'mat5': ('a.mat', lambda file: made.write_mat5(file, packed=file.parent.name.endswith('1')),
             lambda folder: CofwMat('a.mat', folder, markup='cofw')),
    'mat7': ('a.mat', made.write_mat7, lambda folder: CofwMat('a.mat', folder, markup='cofw')),
}


def mutated(sound: bytes, rng: random.Random) -> bytes:
    """A file with one to four changes."""
    text = bytearray(sound)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(text) + 1)
        end = min(len(text), place + rng.choice([1, 4, 16, 200]))
        change = rng.randrange(7)
        if change == 0 and place < len(text):
            text[place] ^= 1 << rng.randrange(8)
        elif change == 1:
            del text[place:]
        elif change == 2:
            text[place:place] = rng.choice(TOKENS)
        elif change == 3:
            text[place:end] = rng.choice(TOKENS)
        elif change == 4:
            text[place:place] = text[place:end] * rng.choice([1, 3, 100])
        elif change == 5:
            del text[place:end]
        else:
            text[place:end] = rng.randbytes(end - place)
    return bytes(text)


def main(kind: str, count: int, folder: Path) -> None:
    """Read the mutated files and print what came of them."""
    folder.mkdir(parents=True, exist_ok=True)
    name, write, read = KINDS[kind]
    sound = write(folder / name).read_bytes()
    faces = read(folder)
    before, slowest, ends, escaped = peak(), (0., -1), Counter(), {}
    assert len(faces) > 0
    for seed in range(count):
        (folder / name).write_bytes(mutated(sound, random.Random(f'{kind} {seed}')))
        begin = time.perf_counter()
        try:
            found = read(folder)
            for i in range(len(found)):
                found.face(i)
            ends['read'] += 1
        except FacelmkError as error:
            ends[type(error).__name__] += 1
            str(error).encode()
        except Exception as error:
            escaped[seed] = f'{type(error).__name__}: {error}'[:200]
        slowest = max(slowest, (time.perf_counter() - begin, seed))
    print(json.dumps({'kind': kind, 'count': count, 'ends': ends, 'escaped': escaped, 'slowest': slowest,
                      'more_mib': peak() - before}))


def peak() -> float:
    """The most memory that this process had so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
