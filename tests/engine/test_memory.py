"""Peak memory."""

from __future__ import annotations

import subprocess
import sys

ALLOCATE = "import sys; from coder.engine.memory import peak_memory; x = b'1' * int(sys.argv[1]); print(peak_memory())"


def test_peak_memory_grows_by_what_is_allocated():
    def peak(size: int) -> int:
        done = subprocess.run([sys.executable, "-c", ALLOCATE, str(size)], capture_output=True, text=True, check=True)
        return int(done.stdout)

    grown = peak(64 << 20) - peak(0)
    assert 60 << 20 < grown < 72 << 20
