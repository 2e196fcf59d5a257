"""What a checkpoint is run by on this machine."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Literal

from coder.errors import InputError, MissingDependencyError
from coder.model.checkpoint import Checkpoint
from coder.model.runtime import Runtime

RuntimeName = Literal["auto", "onnx", "torch"]


def load_runtime(
    checkpoint: Checkpoint,
    name: RuntimeName,
    threads: int | None,
    progress: Callable[[float], None] = lambda share: None,
) -> Runtime:
    """The runtime of that name, with the checkpoint loaded; see `Engine.load`. Only what is used is imported.

    Raises:
        InputError: an option of the model that the runtime does not know.
    """
    options, published = checkpoint.options, checkpoint.config.denoiser is not None
    if published and name == "onnx":
        raise InputError("published diffusion models run in PyTorch alone; leave --runtime at auto, or choose torch")
    if published or name == "torch" or (name == "auto" and gpu_available()):
        from coder.model.torch_runtime import TorchRuntime

        return TorchRuntime.load(checkpoint, options.device, options.dtype, progress=progress)
    if (options.device, options.dtype) != ("auto", "auto"):
        raise InputError("the model options dtype and device are PyTorch's; choose --runtime torch")
    from coder.model.onnx_runtime import OnnxRuntime

    return OnnxRuntime.load(checkpoint, threads)


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
