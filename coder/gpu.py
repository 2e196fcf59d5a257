"""Whether there is a graphics processor to run a model on."""

from __future__ import annotations

import ctypes
import sys
from importlib.util import find_spec

from coder.errors import MissingDependencyError


def gpu_available() -> bool:
    """Whether PyTorch is installed and sees a CUDA GPU. It is imported only where there is a driver to ask."""
    if find_spec("torch") is None:
        return False
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        from coder.model.torch_import import torch
    except (OSError, MissingDependencyError):
        return False
    return torch.cuda.is_available()
