"""Which machine and which versions a figure belongs to."""

from __future__ import annotations

import os
import platform
from importlib import metadata

import coder
from coder.commands.terminal import processor

PACKAGES = ("onnxruntime", "numpy", "tokenizers", "torch", "llama_cpp_python")


def machine() -> dict[str, object]:
    """Processor, its features, system and versions."""
    return {
        "processor": processor.name(),
        "cores": os.cpu_count(),
        "features": processor.features(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {"quickfill": coder.__version__}
        | {name: version for name in PACKAGES if (version := _version(name))},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
