"""The end of a zip: whether the file is whole, and whether all readers see one table of contents in it."""

import struct
from typing import BinaryIO


def check_zip_end(file: BinaryIO, size: int) -> tuple[int, int]:
    """Return the number of members, and the bytes of the table of contents.

    Refuse a file in which readers could find two tables of contents: the table must end where the records behind it
    begin, and these must end the file, as torch writes them.
    """
    file.seek(max(size - 98, 0))
    tail = file.read().rjust(98, b'\0')
    if tail[-22:-18] != b'PK\5\6' or tail[-2:] != b'\0\0':
        raise ValueError('it begins as a zip and its end is missing')
    number, table_bytes, table_offset = struct.unpack('<HLL', tail[-12:-2])
    table_end = size - 22
    if tail[-42:-38] == b'PK\6\7':  # the 64-bit end record and its locator
        table_end = size - 98
        number, table_bytes, table_offset = struct.unpack('<QQQ', tail[32:56])
        if tail[:4] != b'PK\6\6' or struct.unpack('<Q', tail[-34:-26])[0] != table_end:
            raise ValueError('its 64-bit end record is not where it should be')
    if table_offset + table_bytes != table_end:
        raise ValueError('its table of contents does not end where its end record begins')
    return number, table_bytes
