"""Memory that is freed and used again costs no page faults. A test counts them in a process of its own."""

import subprocess
import sys

import pytest

COUNT = """
import resource, sys
import numpy as np
from facelmk.files.allocator import reuse_freed_memory
if sys.argv[1] == 'reuse' and not reuse_freed_memory():
    print('unknown')
    sys.exit()
def use():
    for _ in range(20):
        first, second = np.ones(3 << 20, np.uint8), np.ones(3 << 20, np.uint8)
        del first, second
use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> str:
    command = [sys.executable, '-c', COUNT, how]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='counts the page faults of Linux')
def test_memory_is_reused() -> None:
    reused = faults('reuse')
    if reused == 'unknown':
        pytest.skip('this C library has no mallopt')
    assert int(reused) < 100 < int(faults('default'))
