"""`quickfill convert`: a checkpoint from one format into another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from coder.commands.shared import UNADAPTED

EPILOG = """
[bold]Examples[/bold]

quickfill convert ./SmolLM2-135M ready            a stock Llama, ready to be trained

quickfill convert model.gguf ready                the same from GGUF

quickfill convert embedded stock --to transformers

quickfill convert embedded quickfill.gguf --to gguf

quickfill convert embedded served --to vllm       then `vllm serve served`
"""


def convert(
    source: Annotated[str, typer.Argument(help="`embedded`, a checkpoint's folder, a stock Llama's, or a .gguf file.")],
    destination: Annotated[Path, typer.Argument(help="A folder to be made; a file for GGUF.")],
    to: Annotated[
        Literal["quickfill", "transformers", "gguf", "vllm"],
        typer.Option(
            help="The format; `transformers` is a stock LlamaForCausalLM, `vllm` one that vLLM's plugin here serves."
        ),
    ] = "quickfill",
    precision: Annotated[
        Literal["int8", "bf16", "f32"] | None,
        typer.Option(help="Of the matrices; by default int8, f32 for transformers and bf16 for vllm."),
    ] = None,
    tokenizer: Annotated[
        Path | None, typer.Option(help="A tokenizer.json to use instead of the source's.", exists=True, dir_okay=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
) -> None:
    """Convert a checkpoint: from a stock Llama or GGUF, back to a stock Llama, or to GGUF.

    Decoders of Llama, Qwen2 and StarCoder2 fit: byte-level BPE, no scaled RoPE, weights in safetensors. One that was
    never adapted can be trained, and decodes one token after another only.
    """
    from coder.model.convert.convert import convert as write

    checkpoint = write(source, destination, to, precision, tokenizer, force)
    typer.echo(f"wrote {destination}")
    if not checkpoint.config.adapted:
        typer.echo(UNADAPTED, err=True)
