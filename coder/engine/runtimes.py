"""The choice of a runtime for a checkpoint on this machine."""

from __future__ import annotations

import ctypes
import math
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Literal

from coder.engine.memory import machine_memory, return_freed_memory
from coder.errors import InputError, MissingDependencyError
from coder.model.checkpoint.checkpoint import Checkpoint, expected_tensors
from coder.model.runtime import Runtime

RuntimeName = Literal["auto", "onnx", "torch"]


def load_runtime(
    checkpoint: Checkpoint,
    name: RuntimeName,
    threads: int | None,
    progress: Callable[[float], None] = lambda share: None,
    beside: Runtime | None = None,
) -> Runtime:
    """The runtime of that name, with the checkpoint loaded; see `Engine.load`. Only what is used is imported.

    Args:
        beside: one that stays loaded; what weights of theirs are the same are in memory once, where that can be.

    Raises:
        InputError: an option of the model that the runtime does not know.
    """
    options, published = checkpoint.options, checkpoint.config.denoiser is not None
    if published and name == "onnx":
        raise InputError("published diffusion models run in PyTorch alone; leave --runtime at auto, or choose torch")
    if published or name == "torch" or (name == "auto" and gpu_available()):
        from coder.model.torch.runtime import TorchRuntime

        _require_room(checkpoint)
        return TorchRuntime.load(checkpoint, options.device, options.dtype, progress=progress)
    if (options.device, options.dtype) != ("auto", "auto"):
        raise InputError("the model options dtype and device are PyTorch's; choose --runtime torch")
    return_freed_memory()
    from coder.model.onnx.runtime import OnnxRuntime

    return OnnxRuntime.load(checkpoint, threads, progress=progress, beside=beside)


def _require_room(checkpoint: Checkpoint) -> None:
    """Raise InputError where the weights in float32, which the processor has by default, are more than there is memory:
    better than a machine that stops answering."""
    options = checkpoint.options
    if options.dtype not in ("auto", "float32") or options.device not in ("auto", "cpu"):
        return
    needed = 4 * sum(math.prod(shape) for shape in expected_tensors(checkpoint.config).values())
    if needed > machine_memory() and (options.device == "cpu" or not gpu_available()):
        raise InputError(
            f"the model needs {needed / 2**30:.0f} GiB in float32, and this machine has "
            f"{machine_memory() / 2**30:.0f}; load it in a smaller format, with ?dtype=bfloat16 or ?dtype=int8 behind "
            "its name, or choose a smaller one: `quickfill models` says which fit"
        )


def gpu_available() -> bool:
    """Return whether PyTorch is installed and sees a CUDA GPU."""
    return bool(gpu_memory())


def gpu_memory() -> list[int]:
    """Bytes of each CUDA GPU that PyTorch sees. It is imported only where there is a driver to ask."""
    if find_spec("torch") is None:
        return []
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        from coder.model.torch.requirement import torch
    except (OSError, MissingDependencyError):
        return []
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return [torch.cuda.get_device_properties(index).total_memory for index in range(count)]
