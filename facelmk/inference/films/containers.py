"""Files of films, known by their first bytes: a playlist named film.mp4 could make a decoder open other files."""

import os
import stat
import struct
from pathlib import Path

from ...errors import DataDefect, MissingResource

ENDINGS = {
    *('.mp4', '.m4v', '.mov', '.3gp', '.avi', '.mkv', '.webm', '.mpg', '.mpeg', '.ts', '.mts', '.m2ts', '.flv', '.wmv'),
    *('.ogv', '.asf'),
}
TS_PACKET = 188  # bytes; the packets of a camera's .mts have 4 more in front
HEAD_BYTES = 400
MAX_BOXES = 10_000  # of an MP4 whose end is looked for; one of a camera that writes fragments has two a second
MP4, AVI = 'MP4', 'AVI'


def film_kind(path: str | Path) -> str | None:
    """Return the container of a film file; None for a file that is no film, or that cannot be read."""
    try:
        if not os.path.isfile(path):  # a pipe would wait for its writer
            return None
        with open(path, 'rb') as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return None
    if head[4:8] == b'ftyp' and head[8:12] not in (b'avif', b'avis', b'heic', b'heix', b'mif1', b'msf1', b'jxl '):
        return MP4
    if head[4:8] in (b'moov', b'mdat', b'wide', b'free', b'skip', b'pnot'):  # QuickTime from before 2001
        return MP4
    if head[:4] == b'RIFF' and head[8:12] == b'AVI ':
        return AVI
    for kind, start in (
        ('Matroska', b'\x1a\x45\xdf\xa3'),
        ('FLV', b'FLV\x01'),
        ('ASF', b'\x30\x26\xb2\x75\x8e\x66\xcf\x11'),
        ('Ogg', b'OggS'),
        ('MPEG', b'\x00\x00\x01\xba'),
        ('MPEG', b'\x00\x00\x01\xb3'),
    ):
        if head.startswith(start):
            return kind
    stream = any(
        len(head) > first + step and head[first] == head[first + step] == 0x47
        for first, step in ((0, TS_PACKET), (4, TS_PACKET + 4))
    )
    return 'MPEG-TS' if stream else None


def check_film(path: str | Path) -> str:
    """Return the container of a film; refuse a file that cannot be read or is no film."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise DataDefect(f'{path}: no film: it is a folder, a device or a pipe. Expected the path of a film')
        with open(path, 'rb'):
            size = status.st_size
    except OSError as error:
        raise MissingResource(f'{path} cannot be read: {error.strerror}. Check the path and its rights') from error
    kind = film_kind(path)
    if kind is None:
        raise DataDefect(
            f'{path}: no film: {size} bytes in no known format. Expected MP4, MOV, AVI, MKV, WebM, MPEG, FLV, WMV or '
            'Ogg. Download or save it again'
        )
    return kind


def is_cut_off(path: str | Path, kind: str) -> bool:
    """Whether an MP4 or AVI ends before the end that its headers name; False for other containers."""
    if kind not in (MP4, AVI):
        return False
    with open(path, 'rb') as file:
        size = os.fstat(file.fileno()).st_size
        if kind == AVI:
            (length,) = struct.unpack('<I', file.read(8)[4:])
            return bool(length) and 8 + length > size  # 0 in a file whose writer was killed
        offset = 0
        for _ in range(MAX_BOXES):
            if offset + 8 > size:
                break
            file.seek(offset)
            head = file.read(16).ljust(16, b'\0')
            (length,) = struct.unpack('>I', head[:4])
            if length == 1:
                (length,) = struct.unpack('>Q', head[8:])
            if length == 0:  # the last box, up to the end of the file
                return False
            offset += max(length, 8)
    return offset > size
