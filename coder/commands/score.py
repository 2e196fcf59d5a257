"""`quickfill score`: how likely the model finds lines of a file, given the rest of it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from coder.commands import options, shared
from coder.commands.targets import parse_line_range
from coder.commands.terminal import output
from coder.commands.terminal.source import read_source, unix_line_breaks

EPILOG = """
[bold]Examples[/bold]

quickfill score app.py:12           line 12, given what stands above and below it

quickfill score app.py:12-20 --json
"""


def score(
    lines: Annotated[str, typer.Argument(metavar="FILE:LINE[-LINE]", help="Whole lines, the last one included.")],
    json: options.Json = False,
    model: options.Model = "embedded",
    adapter: options.Adapter = None,
    runtime: options.Runtime = "auto",
    threads: options.Threads = None,
) -> None:
    """Say how likely the model finds lines of a file, given the text around them.

    The unit is nats: 0 is certainty. The perplexity is how many tokens the model wavers between, on average.
    """
    place = parse_line_range(lines)
    source = read_source(Path(place.file))
    start, end = source.offset(place.first, 1), source.offset(place.last)
    prefix, middle, suffix = (
        unix_line_breaks(text) for text in (source.text[:start], source.text[start:end], source.text[end:])
    )
    result = shared.load_engine(shared.adapted(model, adapter), runtime, threads).score(prefix, suffix, middle)
    nats_per_token = result.log_probability / max(1, result.tokens)
    perplexity = math.exp(-nats_per_token)
    if json:
        output.print_json(
            {
                "log_probability": result.log_probability,
                "end_log_probability": result.end_log_probability,
                "tokens": result.tokens,
                "perplexity": perplexity,
            }
        )
        return
    typer.echo(f"{result.tokens} tokens, {result.log_probability:.2f} nats, perplexity {perplexity:.2f}")
    typer.echo(f"the end behind them: {result.end_log_probability:.2f} nats")
