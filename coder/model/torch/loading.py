"""Loading a decoder part by part: on one device or spread over several, in a float format or quantised.

No more than the model itself and one part in float is ever in memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from coder.errors import InputError
from coder.installation import missing_extra
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.torch.decoder import Decoder, Layer
from coder.model.torch.requirement import torch

Progress = Callable[[float], None]
"""Told what share of the weights is loaded."""

QUANTIZED = ("int8", "int4")

TARGET = {"int8": 1.0, "int4": 0.5}
"""Bytes of a weight."""


def load_decoder(
    checkpoint: Checkpoint,
    device: torch.device | None,
    dtype: torch.dtype,
    quantization: str | None = None,
    progress: Progress = lambda share: None,
) -> Decoder:
    """Load a checkpoint's weights.

    Args:
        device: where to; None spreads the layers over the GPUs there are and the processor, as accelerate plans it.
        quantization: `int8` or `int4` of the layers' matrices, by torchao; None is none.

    Raises:
        InputError: it does not fit the machine. MissingDependencyError: accelerate or torchao.
    """
    decoder = Decoder.empty(checkpoint.config, dtype)
    places = plan(decoder, quantization) if device is None else dict.fromkeys(decoder.parts(), device)
    quantize = _quantizer(quantization)
    sizes = {name: sum(map(torch.numel, part.parameters())) for name, part in decoder.parts().items()}
    done = 0
    for name, part in decoder.parts().items():
        part.to_empty(device=places[name])
        decoder.fill(name, checkpoint)
        if isinstance(part, Layer):
            quantize(part)
        done += sizes[name]
        progress(done / sum(sizes.values()))
    return decoder


def plan(
    decoder: Decoder, quantization: str | None = None, memory: Mapping[int | str, int] | None = None
) -> dict[str, torch.device]:
    """A device for each part, filled in order: GPUs first, then the processor.

    Args:
        memory: bytes of each GPU by its number and of `cpu`; None asks the machine.

    Raises:
        InputError: it does not fit. MissingDependencyError: accelerate is not installed.
    """
    try:
        from accelerate import infer_auto_device_map
        from accelerate.utils import get_balanced_memory
    except ImportError as error:
        raise missing_extra("layers are spread over devices with accelerate", "torch") from error
    share = TARGET[quantization] / decoder.norm.weight.element_size() if quantization else 1.0
    limits: Any = (
        dict(memory) if memory is not None else get_balanced_memory(decoder, no_split_module_classes=["Layer"])
    )
    # It counts the parameters as they are; quantised, they take less.
    scaled = {place: math.floor(limit / share) for place, limit in limits.items()}
    found = infer_auto_device_map(decoder, scaled, no_split_module_classes=["Layer"])
    places = {
        name: next(found[key] for key in (name, name.split(".")[0], "") if key in found) for name in decoder.parts()
    }
    if "disk" in places.values():
        gigabytes = sum(tensor.nbytes for tensor in decoder.parameters()) * share / 2**30
        raise InputError(
            f"the model's {gigabytes:.1f} GiB do not fit this machine's memory; choose a smaller format "
            "(?dtype=int8 or int4) or a smaller model: `quickfill models` says which fit"
        )
    return {
        name: torch.device("cuda", place) if isinstance(place, int) else torch.device(place)
        for name, place in places.items()
    }


def _quantizer(quantization: str | None) -> Callable[[torch.nn.Module], None]:
    """Return the function that quantises a layer's matrices in place."""
    if quantization is None:
        return lambda part: None
    try:
        from torchao.quantization import (  # pyright: ignore[reportMissingImports]
            Int4WeightOnlyConfig,
            Int8WeightOnlyConfig,
            quantize_,
        )
    except ImportError as error:
        raise missing_extra(f"{quantization} weights in PyTorch need torchao", "quantized") from error
    if quantization == "int8":
        config: Any = Int8WeightOnlyConfig()
    else:
        config = Int4WeightOnlyConfig(group_size=128, int4_packing_format="tile_packed_to_4d")
    return lambda part: quantize_(part, config)
