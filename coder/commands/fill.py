"""`quickfill fill`: fill every marked hole of a file."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coder.commands import options, shared
from coder.commands.complete import parses, read_target
from coder.commands.targets import STDIN, Target
from coder.commands.terminal import output
from coder.commands.terminal.source import Source, replace_content, unix_line_breaks
from coder.errors import InputError

if TYPE_CHECKING:
    from coder.api.text_requests import Filled

EPILOG = """
[bold]Examples[/bold]

quickfill fill app.py                  every <fill> in it

quickfill fill app.py --watch          all of them drawn

quickfill fill app.py --apply          written into the file

quickfill fill - --mark ??? < app.py   from standard input, marked with ???
"""


def fill(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A text with marks in it; `-` reads standard input.")],
    mark: options.Mark = options.DEFAULT_MARK,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write the answers into the file; the old version stays as FILE.bak.")
    ] = False,
    watch: options.Watch = False,
    json: options.Json = False,
    language: options.Language = None,
    min_lines: options.MinLines = 1,
    max_lines: options.MaxLines = None,
    min_characters: options.MinCharacters = 0,
    max_characters: options.MaxCharacters = None,
    without: options.Without = "",
    model: options.Model = "embedded",
    adapter: options.Adapter = None,
    runtime: options.Runtime = "auto",
    threads: options.Threads = None,
    policy: options.Policy = "auto",
    canvas: options.Canvas = None,
    max_tokens: options.MaxTokens = 128,
    temperature: options.Temperature = 0.0,
    top_p: options.TopP = 1.0,
    seed: options.Seed = None,
    deadline_ms: options.Deadline = None,
    workspace: options.Workspace = None,
) -> None:
    """Write what is missing at every mark of a file.

    The marks are holes, each free in length. The answer is the whole text; on a terminal the part with the holes.
    """
    if apply and file == STDIN:
        raise InputError("--apply needs a file to write; standard input has none")
    source = read_target(Target(file, None))
    texts = source_texts(source, mark)
    between = tuple(map(unix_line_breaks, texts))

    from coder.api.completion import Constraints, Decoding, Where
    from coder.api.text_requests import FillRequest

    constraints = Constraints(min_lines, max_lines, min_characters, max_characters, without)
    constraints.require_order()
    view = output.holes_view(between) if watch else None
    engine = shared.load_engine(shared.adapted(model, adapter), runtime, threads, view, warm=deadline_ms is not None)
    request = FillRequest(
        texts=between,
        constraints=constraints,
        where=Where(
            path=None if file == STDIN else file, language=language, workspace=shared.index_workspace(engine, workspace)
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
    filled = shared.run_fill(engine, request, view)
    backup = None
    if apply and not all(map(output.is_empty, filled.middles)):
        backup = str(replace_content(Path(file), source, source.stored(with_answers(source, texts, filled))))
    if json:
        places = hole_positions(source, texts, mark)
        holes = [
            output.facts(middle) | {"line": line, "column": column}
            for middle, (line, column) in zip(filled.middles, places, strict=True)
        ]
        checks = {"model": engine.model_name, "parses": parses(filled.text, Target(file, None), language)}
        output.print_json(output.filled_facts(filled, holes) | checks | {"file": file, "backup": backup})
    else:
        output.print_filled(filled, request.texts, alone=with_answers(source, texts, filled))
    if backup:
        typer.echo(f"{file} is written; the old version is {backup}", err=True)
    output.finish_filled(filled)


def source_texts(source: Source, mark: str) -> list[str]:
    """The texts around the marks. Raises InputError where there is none."""
    if not mark:
        raise InputError("an empty mark is everywhere; give --mark some characters")
    texts = source.text.split(mark)
    if len(texts) == 1:
        raise InputError(
            f"there is no {mark} in {source.name}; write it where something is missing, or name another --mark"
        )
    return texts


def hole_positions(source: Source, texts: list[str], mark: str) -> list[tuple[int, int]]:
    """Line and column of each mark."""
    ends = accumulate(len(text) + len(mark) for text in texts[:-1])
    return [source.position(end - len(mark)) for end in ends]


def with_answers(source: Source, texts: list[str], filled: Filled) -> str:
    """The source's text with the answers in it, their line breaks like its own."""
    from coder.editing.fill import joined

    return joined(texts, [source.own_line_breaks(middle.text) for middle in filled.middles])
