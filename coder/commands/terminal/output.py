"""Answers as people and programs read them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import typer

from coder.diffusion.policies import AUTO, WATCHED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coder.api.completion import Completion
    from coder.api.text_requests import Filled
    from coder.commands.terminal.holes_view import HolesView
    from coder.commands.terminal.view import CanvasView

NOTHING_TO_SUGGEST = 5
"""Exit code of an empty completion."""

BETWEEN_ANSWERS = "\n--------\n"
"""A line between several answers that are not shown on a terminal."""

EARLY_STOPS = {
    "length": "stopped at the token limit; raise --max-tokens for more",
    "loop": "stopped where the model began to repeat itself",
    "deadline": "stopped at the deadline; raise --deadline-ms for more",
}
"""Notes to the user for a completion that did not end by itself."""

TOO_SHORT = "no line was complete at the deadline; raise --deadline-ms, which counts from when the model is loaded"


def is_empty(completion: Completion) -> bool:
    """Return whether a completion is nothing but white space."""
    return not completion.text.strip()


def is_too_late(completion: Completion) -> bool:
    """Return whether a completion is empty because its time was over before anything was complete."""
    return is_empty(completion) and completion.finish_reason == "deadline"


def finish(completion: Completion) -> None:
    """Tell the user where a completion stopped early; leave with an exit code when there is nothing in it."""
    if is_too_late(completion):
        typer.echo(TOO_SHORT, err=True)
        raise typer.Exit(NOTHING_TO_SUGGEST)
    if completion.finish_reason in EARLY_STOPS:
        typer.echo(f"note: {EARLY_STOPS[completion.finish_reason]}", err=True)
    if is_empty(completion):
        typer.echo("nothing to suggest here", err=True)
        raise typer.Exit(NOTHING_TO_SUGGEST)


def finish_filled(filled: Filled) -> None:
    """The same for several holes: empty where all of them are."""
    if all(map(is_too_late, filled.middles)):
        typer.echo(TOO_SHORT, err=True)
        raise typer.Exit(NOTHING_TO_SUGGEST)
    for number, middle in enumerate(filled.middles, 1):
        if is_too_late(middle):
            typer.echo(f"note: hole {number} is empty: {TOO_SHORT}", err=True)
        elif middle.finish_reason in EARLY_STOPS:
            typer.echo(f"note: hole {number} {EARLY_STOPS[middle.finish_reason]}", err=True)
    if all(map(is_empty, filled.middles)):
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


def filled_facts(filled: Filled, holes: list[dict[str, Any]]) -> dict[str, Any]:
    """Several answers for programs: the whole text, then what `facts` says of each hole."""
    return {
        "text": filled.text,
        "holes": holes,
        "joint": filled.joint,
        "passes": filled.passes,
        "seconds": filled.seconds,
    }


def print_json(value: dict[str, Any]) -> None:
    """One object on one line, in ASCII, so that no terminal's encoding matters."""
    typer.echo(json.dumps(value))


def print_completion(completion: Completion, prefix: str, suffix: str, line: int, alone: str) -> None:
    """On a terminal a completion and its alternatives, each in its place; otherwise `alone`, in UTF-8, and
    nothing added but a line between several answers.

    Args:
        prefix, suffix: the text around the hole, in which lines end with a line feed.
        line: the number of the hole's line.
    """
    if not sys.stdout.isatty():
        others = [alone.removesuffix(completion.text) + other.text for other in completion.alternatives]
        separator = b"" if not others else BETWEEN_ANSWERS.encode()
        typer.echo(separator.join(text.encode() for text in (alone, *others)), nl=False)
        return

    from rich.console import Console

    from coder.commands.terminal.view import in_place, surroundings

    console = Console(highlight=False)
    for answer in (completion, *completion.alternatives):
        console.print(in_place(answer.text, surroundings(prefix, suffix[answer.replaces :], line)))
        console.print(_summary(answer), style="dim", markup=False)


def print_filled(filled: Filled, texts: Sequence[str], alone: str) -> None:
    """On a terminal the answers, each in its place; otherwise `alone`, in UTF-8, nothing added."""
    if not sys.stdout.isatty():
        typer.echo(alone.encode(), nl=False)
        return

    from rich.console import Console

    from coder.commands.terminal.holes_view import in_places

    console = Console(highlight=False)
    console.print(in_places(texts, [middle.text for middle in filled.middles]))
    manner = "together" if filled.joint else "one after the other"
    tokens = sum(middle.tokens for middle in filled.middles)
    summary = (
        f"{len(filled.middles)} holes, {manner}: {tokens} tokens in {filled.passes} passes, {filled.seconds:.2f} s"
    )
    console.print(summary, style="dim", markup=False)


def drawable(policy: str) -> str:
    """Return the policy to decode with while a person watches."""
    return WATCHED.name if policy == AUTO.name else policy


def canvas_view(prefix: str, suffix: str, line: int) -> CanvasView:
    """Draws on standard error, so that standard output holds the answer alone."""
    from rich.console import Console

    from coder.commands.terminal.view import CanvasView, surroundings

    return CanvasView(Console(stderr=True, highlight=False), surroundings(prefix, suffix, line))


def holes_view(texts: Sequence[str]) -> HolesView:
    """The same for several holes."""
    from rich.console import Console

    from coder.commands.terminal.holes_view import HolesView

    return HolesView(Console(stderr=True, highlight=False), texts)


def _summary(completion: Completion) -> str:
    return (
        f"{completion.tokens} tokens in {completion.passes} passes, {completion.seconds:.2f} s, "
        f"confidence {completion.confidence:.2f}, {completion.statistics.policy}"
    )
