"""The processor: its name, and the features that matrix products can use."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np

FEATURES_THAT_MATTER = ("amx", "avx", "fma", "f16c", "asimd", "i8mm", "sve", "sme")
"""The first letters of the names of the processor features that are shown."""

OTHERS = ("smep",)
"""Names that begin so by accident."""


def name() -> str:
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def features() -> list[str]:
    """As the kernel names them on Linux, elsewhere as numpy groups them."""
    flags = (_cpuinfo("flags") or _cpuinfo("Features")).split()
    if flags:
        return sorted(flag for flag in flags if flag.startswith(FEATURES_THAT_MATTER) and flag not in OTHERS)
    found = np.show_config(mode="dicts")["SIMD Extensions"]
    return [*found["baseline"], *found.get("found", [])]


def _cpuinfo(field: str) -> str:
    """The first value of a field of /proc/cpuinfo, or nothing."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return next(
        (value.strip() for key, _, value in (line.partition(":") for line in lines) if key.strip() == field), ""
    )
