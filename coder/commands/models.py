"""`quickfill models`: the models that can be run, and which of them fit this machine."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from coder.commands import options
from coder.commands.terminal import output

if TYPE_CHECKING:
    from coder.model.families.family import PublishedModel

EPILOG = """
[bold]Examples[/bold]

quickfill models

quickfill complete app.py:12 --model Qwen/Qwen2.5-Coder-1.5B-Instruct

quickfill complete app.py:12 --model Dream-org/DreamOn-v0-7B

quickfill complete app.py:12 --model "JetLM/SDAR-8B-Chat?dtype=int4"

[bold]Options behind a model's name[/bold]

dtype       auto, float32, bfloat16, float16; int8, int4: weights alone

device      auto, cpu, cuda, cuda:1; spread: layers on all GPUs

cache       none, prefix, dual: approximate, for full attention

layout      infill: the text alone; chat: asked in a chat

lengths     4:8:16: canvas sizes to try in a hole

window      slots that are finished before those behind them

block       tokens of a block, where config.json does not tell

guidance    scale of classifier-free guidance
"""

BYTES = {"bfloat16": 2.0, "int8": 1.0, "int4": 0.56}
"""Of a parameter, with the scales that belong to it."""

ROOM = 1.15
"""For keys, values and activations, beside the weights."""


@dataclass(frozen=True)
class Listed:
    """A model as it is listed. `needs` are GiB by format; `fits` says where it can run, and in which format."""

    name: str
    family: str
    parameters_in_billions: float
    suited_to: str
    licence: str
    needs: dict[str, float]
    fits: str


def models(json: options.Json = False) -> None:
    """List the models that can be run, what they need, and which fit this machine.

    Published models are downloaded when they are first named. Autoregressive ones run on the processor as the embedded
    model does, or in PyTorch on a GPU; diffusion models run in PyTorch (the extra `torch`), best on a GPU.
    """
    from coder.engine.memory import machine_memory
    from coder.engine.runtimes import gpu_memory
    from coder.model.families.autoregressive import PUBLISHED
    from coder.model.families.catalog import FAMILIES

    memory, gpus = machine_memory() / 2**30, [size / 2**30 for size in gpu_memory()]
    listed = [
        EMBEDDED_MODEL,
        *(entry("autoregressive", model, memory, gpus, on_processor="int8") for model in PUBLISHED),
        *(entry(family.name, model, memory, gpus) for family in FAMILIES for model in family.models),
    ]
    if json:
        machine = {"memory_gib": round(memory, 1), "gpus_gib": [round(size, 1) for size in gpus]}
        output.print_json({"machine": machine, "models": [asdict(model) for model in listed]})
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("model", overflow="fold")
    table.add_column("GiB*", no_wrap=True)
    table.add_column("here")
    for model in listed:
        facts = f"{model.parameters_in_billions:g}B, {model.suited_to}, {model.licence}; family {model.family}"
        needs = "/".join(f"{size:.1f}" for size in model.needs.values())
        table.add_row(f"{model.name}\n  [dim]{facts}[/dim]", needs, model.fits)
    console = Console()
    console.print(table)
    names = ", ".join(f"{size:.0f} GiB" for size in gpus) or "none that PyTorch sees"
    console.print("\n* in bfloat16, int8 and int4, with room for keys and values")
    console.print(f"this machine: {memory:.0f} GiB of memory; GPUs: {names}")


def entry(
    family: str, model: PublishedModel, memory: float, gpus: list[float], on_processor: str | None = None
) -> Listed:
    """A published model on a machine with so many GiB of memory, and of each GPU.

    Args:
        on_processor: the format in which ONNX Runtime runs it; None where PyTorch alone can.
    """
    needs = {name: round(model.parameters * 1e9 * size * ROOM / 2**30, 1) for name, size in BYTES.items()}
    return Listed(
        model.hub_id,
        family,
        model.parameters,
        model.suited_to,
        model.licence,
        needs,
        where_it_fits(needs, memory, gpus, on_processor),
    )


def where_it_fits(needs: dict[str, float], memory: float, gpus: list[float], on_processor: str | None = None) -> str:
    """The best format in which a model runs here, and where."""
    for name, size in needs.items():
        if any(size <= gpu for gpu in gpus):
            return f"GPU, {name}"
        if len(gpus) > 1 and size <= sum(gpus):
            return f"GPUs, {name}, device=spread"
    if on_processor is not None:
        return f"CPU, {on_processor}" if needs[on_processor] <= memory else "no"
    if 2 * needs["bfloat16"] <= memory:
        return "CPU, float32"
    if needs["bfloat16"] <= memory:
        return "CPU, bfloat16"
    return "no"


EMBEDDED_MODEL = Listed("embedded", "quickfill", 0.402, "infilling", "Apache-2.0", {"int8": 0.8}, "CPU, int8")
"""The checkpoint that is installed with the package."""
