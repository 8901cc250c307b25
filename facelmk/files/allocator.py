"""The memory allocator of a process that decodes pictures or trains."""

import ctypes
from contextlib import suppress

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h
LARGEST_REUSED_BYTES = 1 << 30


def reuse_freed_memory() -> bool:
    """Keep freed memory in this process for the next picture or step; return whether the C library can do so.

    By default glibc gives a block of 2 MB back to the system when it is freed, and the next picture then costs a page
    fault for every 4 kB. A decoded picture is allocated twice, so the faults can take almost as long as the decoding.
    """
    with suppress(OSError, AttributeError, TypeError):  # another C library
        mallopt = ctypes.CDLL(None).mallopt
        return all(mallopt(option, LARGEST_REUSED_BYTES) for option in (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD))
    return False
