"""Peak memory, and what is given back."""

from __future__ import annotations

import subprocess
import sys

import pytest

ALLOCATE = "import sys; from coder.engine.memory import peak_memory; x = b'1' * int(sys.argv[1]); print(peak_memory())"


def test_peak_memory_grows_by_what_is_allocated():
    def peak(size: int) -> int:
        done = subprocess.run([sys.executable, "-c", ALLOCATE, str(size)], capture_output=True, text=True, check=True)
        return int(done.stdout)

    grown = peak(64 << 20) - peak(0)
    assert 60 << 20 < grown < 72 << 20


KEPT = """
import sys, threading
from pathlib import Path
from coder.engine.memory import return_freed_memory
if sys.argv[1] == "returned":
    return_freed_memory()
def work():
    # Like caches of contexts that grow: large blocks, and small ones between them that stay.
    blocks, small = [], []
    for size in range(1, 17):
        blocks.append(bytearray(b"x") * (size << 19))
        small.append(bytearray(b"x") * 4096)
    kept.append(small)
kept = []
for _ in range(8):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
lines = Path("/proc/self/status").read_text().splitlines()
print(next(line.split()[1] for line in lines if line.startswith("VmRSS:")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_freed_memory_is_given_back():
    command = [sys.executable, "-c", KEPT, "returned"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 64 << 10
