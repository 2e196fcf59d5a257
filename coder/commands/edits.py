"""The common part of `quickfill repair`, `edit` and `apply`: the region of a file, and the writing of the answer."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coder.commands.complete import parses, read_target
from coder.commands.targets import FILE_LINES, STDIN, Target, parse_line_range
from coder.commands.terminal import output
from coder.commands.terminal.source import LINE_BREAK, Source, replace_content, unix_line_breaks
from coder.errors import InputError

if TYPE_CHECKING:
    from coder.api.text_requests import Applied, Change, Edited

Apply = Annotated[
    bool, typer.Option("--apply", help="Write the changes into the file; the old version stays as FILE.bak.")
]
DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan"}


@dataclass(frozen=True)
class FileRegion:
    """Whole lines of a file, or all of it; `start` and `end` count characters of `text`, whose lines end with a line
    feed."""

    file: str
    source: Source
    text: str
    start: int
    end: int

    @property
    def path(self) -> str | None:
        return None if self.file == STDIN else self.file


def read_region(target: str, apply: bool) -> FileRegion:
    """Read `FILE`, `FILE:LINE` or `FILE:LINE-LINE`; `-` is standard input. Raises InputError."""
    lines = parse_line_range(target) if FILE_LINES.fullmatch(target) else None
    file = lines.file if lines else target
    if apply and file == STDIN:
        raise InputError("--apply needs a file to write; standard input has none")
    source = read_target(Target(file, None))
    start, end = (source.offset(lines.first, 1), source.offset(lines.last)) if lines else (0, len(source.text))
    before, inside = unix_line_breaks(source.text[:start]), unix_line_breaks(source.text[start:end])
    text = unix_line_breaks(source.text)
    return FileRegion(file, source, text, len(before), len(before) + len(inside))


def finish(
    region: FileRegion, edited: Edited | Applied, apply: bool, json: bool, language: str | None, model: str
) -> None:
    """Show the changes, as a diff for people and as an object for programs; write them where that is wanted."""
    backup = None
    if apply and edited.changes:
        content = region.source.stored(changed_source(region.source, edited.changes))
        backup = str(replace_content(Path(region.file), region.source, content))
    if json:
        checks = {"model": model, "parses": parses(edited.text, Target(region.file, None), language)}
        output.print_json(facts(edited) | checks | {"file": region.file, "backup": backup})
    else:
        print_diff(region.text, edited.text, region.file)
        if edited.changes:
            typer.echo(_summary(region.text, edited), err=True)
    if backup:
        typer.echo(f"{region.file} is written; the old version is {backup}", err=True)


def changed_source(source: Source, changes: tuple[Change, ...]) -> str:
    """The source's text with the changes in it, everything else as it was, its line breaks included."""
    from coder.api.text_requests import Change
    from coder.editing.changes import apply_changes

    # Where a line break is two characters, what follows stands one further on than in the text the model saw.
    doubles = [found.start() for found in LINE_BREAK.finditer(source.text) if len(found.group()) == 2]
    starts = [position - index for index, position in enumerate(doubles)]

    def in_source(offset: int) -> int:
        return offset + sum(start < offset for start in starts)

    moved = [
        Change(in_source(change.start), in_source(change.end), source.own_line_breaks(change.text))
        for change in changes
    ]
    return apply_changes(source.text, moved)


def facts(edited: Edited | Applied) -> dict[str, Any]:
    """An edit for programs. Offsets count characters of the old text, in which lines end with a line feed; scores are
    log-probabilities in nats of the lines around the changes."""
    return asdict(edited) | {"changes": [asdict(change) for change in edited.changes]}


def print_diff(old: str, new: str, name: str) -> None:
    """A unified diff, in colours on a terminal."""
    from coder.editing.changes import diff

    lines = diff(old, new, name)
    if not sys.stdout.isatty():
        typer.echo("".join(f"{line}\n" for line in lines).encode(), nl=False)
        return

    from rich.console import Console
    from rich.text import Text

    from coder.commands.terminal.view import visible

    console = Console(highlight=False)
    for line in lines:
        console.print(Text(visible(line), DIFF_STYLES.get(line[0], "") if line else ""))


def _summary(old: str, edited: Edited | Applied) -> str:
    from coder.api.text_requests import Edited
    from coder.editing.changes import hunks

    count = hunks(old, edited.text) if isinstance(edited, Edited) else edited.parts
    places = f"{count} change{'s' * (count != 1)}"
    if isinstance(edited, Edited):
        scored = edited.score_before or edited.score_after
        gain = f", {edited.score_after - edited.score_before:+.1f} nats" if scored else ""
        return f"{places}{gain}, {edited.passes} passes, {edited.seconds:.2f} s"
    chosen = f", one of {edited.readings} readings chosen by the model" if edited.passes else ""
    return f"{places}{chosen}, {edited.seconds:.2f} s"
