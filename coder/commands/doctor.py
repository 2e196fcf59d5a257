"""`quickfill doctor`: one page on what works here, what is missing, and what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from coder.commands import options, shared
from coder.commands.terminal import output

if TYPE_CHECKING:
    from coder.doctor.findings import Check, Finding

MARKS = {"works": ("✓", "green"), "optional": ("·", "yellow"), "fails": ("✗", "red")}

EPILOG = """
[bold]Examples[/bold]

quickfill doctor               the page

quickfill doctor --no-model    in a second, without loading the model

quickfill doctor --json        for programs, and for issue reports
"""


def doctor(
    json: options.Json = False,
    model: options.Model = "embedded",
    no_model: Annotated[bool, typer.Option("--no-model", help="Do not load the model.")] = False,
) -> None:
    """Say what works on this machine and what is missing, each with its remedy.

    Nothing is sent anywhere. The exit code is 1 where something that should work does not.
    """
    found: list[Finding] = []
    for finding in examine(None if no_model else model):
        if not json:
            _print(finding, found[-1].part if found else None)
        found.append(finding)
    failed = [finding for finding in found if finding.status == "fails"]
    if json:
        output.print_json({"works": not failed, "findings": [asdict(finding) for finding in found]})
    else:
        counted = Counter(finding.status for finding in found)
        typer.secho(
            f"\n{counted['works']} work, {counted['optional']} are not there and not needed, {len(failed)} fail",
            bold=True,
        )
    if failed:
        raise typer.Exit(1)


def examine(model: str | None) -> Iterator[Finding]:
    """Yield the findings of every check, the slowest part, the model, last; without it where there is none."""
    from coder.doctor import editors, machine
    from coder.doctor.findings import added_checks, findings_of
    from coder.doctor.model import check_model

    checks: list[tuple[str, Check]] = [
        ("installation", machine.check_versions),
        ("folders", machine.check_folders),
        ("machine", machine.check_processor),
        ("machine", machine.check_gpu),
        ("editors", editors.check_editors),
        *added_checks(),
        ("extras", machine.check_extras),
    ]
    if model is not None:
        checks.append(("model", partial(check_model, partial(shared.load_engine, model, "auto", None))))
    for part, check in checks:
        yield from findings_of(part, check)


def _print(finding: Finding, previous_part: str | None) -> None:
    if finding.part != previous_part:
        typer.secho(f"{'' if previous_part is None else chr(10)}{finding.part}", bold=True)
    mark, colour = MARKS[finding.status]
    typer.echo(f"  {typer.style(mark, fg=colour)} {finding.name:<13} {finding.summary}")
    if finding.remedy:
        typer.echo(f"    {'':<13} → {finding.remedy}")
