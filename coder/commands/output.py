"""Answers as people and programs read them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from coder.completion import Completion
    from coder.view import CanvasView

NOTHING_TO_SUGGEST = 5
"""Exit code of a completion that came out empty."""

EARLY_STOPS = {
    "length": "stopped at the token limit; raise --max-tokens for more",
    "deadline": "stopped at the deadline; raise --deadline-ms for more",
}
"""What to tell the user when a completion did not end by itself."""


def is_empty(completion: Completion) -> bool:
    """Whether there is nothing in it but white space."""
    return not completion.text.strip()


def finish(completion: Completion) -> None:
    """Tell the user where a completion stopped early; leave with an exit code when there is nothing in it."""
    if completion.finish_reason in EARLY_STOPS:
        typer.echo(f"note: {EARLY_STOPS[completion.finish_reason]}", err=True)
    if is_empty(completion):
        typer.echo("nothing to suggest here", err=True)
        raise typer.Exit(NOTHING_TO_SUGGEST)


def facts(completion: Completion) -> dict[str, Any]:
    """A completion for programs: `seconds` is wall-clock, `confidence` a mean probability, `replaces` a number of
    characters behind the hole."""
    return {
        "text": completion.text,
        "finish_reason": completion.finish_reason,
        "replaces": completion.replaces,
        "tokens": completion.tokens,
        "passes": completion.passes,
        "seconds": completion.seconds,
        "tokens_per_pass": completion.statistics.tokens_per_pass,
        "confidence": completion.confidence,
        "policy": completion.statistics.policy,
        "alternatives": [facts(alternative) for alternative in completion.alternatives],
    }


def print_json(value: dict[str, Any]) -> None:
    """One object on one line, in ASCII, so that no terminal's encoding matters."""
    typer.echo(json.dumps(value))


def print_completion(completion: Completion, prefix: str, suffix: str, line: int, alone: str) -> None:
    """On a terminal a completion and its alternatives, each in its place; otherwise `alone`, in UTF-8, nothing added.

    Args:
        prefix, suffix: the text around the hole, in which lines end with a line feed.
        line: the number of the hole's line.
    """
    if not sys.stdout.isatty():
        typer.echo(alone.encode(), nl=False)
        return

    from rich.console import Console

    from coder.view import in_place, surroundings

    console = Console(highlight=False)
    for answer in (completion, *completion.alternatives):
        console.print(in_place(answer.text, surroundings(prefix, suffix[answer.replaces :], line)))
        console.print(_summary(answer), style="dim", markup=False)


def drawable(policy: str) -> str:
    """What to decode with while a person watches: `auto` may choose a policy without a canvas to draw."""
    return "threshold" if policy == "auto" else policy


def canvas_view(prefix: str, suffix: str, line: int) -> CanvasView:
    """Draws on standard error, so that standard output holds the answer alone."""
    from rich.console import Console

    from coder.view import CanvasView, surroundings

    return CanvasView(Console(stderr=True, highlight=False), surroundings(prefix, suffix, line))


def _summary(completion: Completion) -> str:
    return (
        f"{completion.tokens} tokens in {completion.passes} passes, {completion.seconds:.2f} s, "
        f"confidence {completion.confidence:.2f}, {completion.statistics.policy}"
    )
