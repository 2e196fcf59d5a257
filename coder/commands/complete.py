"""`quickfill complete`: fill the hole at a position of a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from coder.commands import options, shared
from coder.commands.targets import STDIN, Target, parse_target
from coder.commands.terminal import output
from coder.commands.terminal.source import Source, decode_source, read_source, replace_content, unix_line_breaks
from coder.errors import InputError

EPILOG = """
[bold]Examples[/bold]

quickfill complete app.py:12               at the end of line 12

quickfill complete app.py:12:5 --watch     before its character 5, drawn

quickfill complete app.py:12 --template "sorted(<fill>, key=<fill>)"

quickfill complete app.py:12 --apply       written into the file

quickfill complete - --at 3 < app.py       from standard input

quickfill complete app.py:12 --workspace . knowing this folder

quickfill complete app.py:12 --json        for programs
"""


def complete(
    target: Annotated[str, typer.Argument(metavar="FILE:LINE[:COL]", help="Where to write; `-` reads standard input.")],
    at: Annotated[
        str | None,
        typer.Option(metavar="LINE[:COL]", help="The position, when it is not part of the file's name."),
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write the completion into the file; the old version stays as FILE.bak.")
    ] = False,
    watch: options.Watch = False,
    json: options.Json = False,
    language: options.Language = None,
    template: options.Template = None,
    mark: options.Mark = options.DEFAULT_MARK,
    min_lines: options.MinLines = 1,
    max_lines: options.MaxLines = None,
    min_characters: options.MinCharacters = 0,
    max_characters: options.MaxCharacters = None,
    without: options.Without = "",
    syntax: options.Syntax = False,
    raw: options.Raw = False,
    remask: options.Remask = None,
    model: options.Model = "embedded",
    adapter: options.Adapter = None,
    runtime: options.Runtime = "auto",
    threads: options.Threads = None,
    policy: options.Policy = "auto",
    canvas: options.Canvas = None,
    max_tokens: options.MaxTokens = 256,
    temperature: options.Temperature = 0.0,
    top_p: options.TopP = 1.0,
    seed: options.Seed = None,
    samples: options.Samples = 1,
    deadline_ms: options.Deadline = None,
    workspace: options.Workspace = None,
) -> None:
    """Write what is missing at a position of a file.

    Lines and columns count from 1, columns in characters. Without a column the position is the end of the line.

    On a terminal the completion is shown in its place, otherwise it is printed alone.
    """
    place = parse_target(target, at)
    if apply and place.file == STDIN:
        raise InputError("--apply needs a file to write; standard input has none")
    source = read_target(place)
    position = place.position
    offset = len(source.text) if position is None else source.offset(position.line, position.column)
    line, column = source.position(offset)
    prefix, suffix = unix_line_breaks(source.text[:offset]), unix_line_breaks(source.text[offset:])

    from coder.api.completion import CompletionRequest, Constraints, Decoding, Template, Where

    constraints = Constraints(min_lines, max_lines, min_characters, max_characters, without)
    constraints.require_order()
    parts = None if template is None else Template.parse(template, mark)
    view = output.canvas_view(prefix, suffix, line) if watch else None
    engine = shared.load_engine(shared.adapted(model, adapter), runtime, threads, view, warm=deadline_ms is not None)
    request = CompletionRequest(
        prefix=prefix,
        suffix=suffix,
        samples=samples,
        constraints=constraints,
        syntax_rounds=options.SYNTAX_ROUNDS if syntax else 0,
        remasking=remask,
        template=parts,
        shape="raw" if raw else "auto",
        where=Where(
            path=None if place.file == STDIN else place.file,
            language=language,
            workspace=shared.index_workspace(engine, workspace),
        ),
        decoding=Decoding(
            policy=output.drawable(policy) if watch else policy,
            canvas_size=canvas,
            max_tokens=max_tokens,
            temperature=temperature,
            top_p=top_p,
            seed=seed,
            deadline_ms=deadline_ms,
        ),
    )
    completion = shared.run(engine, request, view)
    backup = None
    if apply and not output.is_empty(completion):
        changed = source.changed(offset, offset + completion.replaces, completion.text)
        backup = str(replace_content(Path(place.file), source, changed))
    if json:
        position_facts = {"file": place.file, "line": line, "column": column, "backup": backup}
        joined = prefix + completion.text + suffix[completion.replaces :]
        checks = {"model": engine.model_name, "parses": parses(joined, place, language)}
        output.print_json(output.facts(completion) | checks | position_facts)
    else:
        output.print_completion(completion, prefix, suffix, line, alone=completion.text)
        joined = prefix + completion.text + suffix[completion.replaces :]
        if completion.text and parses(joined, place, language) is False:
            typer.echo("note: with this answer the text breaks its language's syntax", err=True)
    if backup:
        typer.echo(f"{place.file} is written; the old version is {backup}", err=True)
    output.finish(completion)


def parses(text: str, place: Target, language: str | None) -> bool | None:
    """Return whether the completed text is free of syntax errors; None for a language that cannot be checked here."""
    from coder.syntax.languages import language_name
    from coder.syntax.soundness import is_sound

    return is_sound(text, language_name(language, place.file))


def read_target(place: Target) -> Source:
    """The text of a target. Raises InputError."""
    if place.file == STDIN:
        return decode_source(sys.stdin.buffer.read(), "standard input")
    return read_source(Path(place.file))
