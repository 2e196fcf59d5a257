"""Do the uses of a renamed declaration follow? `python -m benchmarks.rename_uses REFERENCES.jsonl --python FOLDER`.

A line of the file is a declaration and its places in its file, as the language's compiler resolves them (programs in
`references` write it); for Python jedi does. The declaration is renamed, and what is then offered
unasked is compared with the other places.
"""

# jedi comes with the extra `bench`, not with the checks.
# pyright: reportMissingImports=false

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.report import Row, print_rows, report_console, write_json
from lsp.edit.next.history import EditHistory
from lsp.edit.next.likelihood import LIKELIHOOD
from lsp.edit.next.suggestions import next_edits

NEW = "renamed_value"

FEWEST, MOST = 2, 40
"""Places of a name."""


@dataclass(frozen=True)
class Declaration:
    """A name and all its places in a file, the declaration the first."""

    language: str
    path: str
    name: str
    places: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Followed:
    """Counts of one rename: places that should follow, places that were offered, and offers that are right."""

    language: str
    wanted: int
    offered: int
    right: int


def main(
    references: Annotated[list[Path] | None, typer.Argument(help="Declarations with their places.")] = None,
    python: Annotated[list[Path] | None, typer.Option(help="Folders of Python files to resolve with jedi.")] = None,
    most: Annotated[int, typer.Option(help="Declarations of a language.")] = 200,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")] = None,
    verbose: Annotated[bool, typer.Option(help="Print each rename that is not followed exactly.")] = False,
) -> None:
    """Rename declarations, and count which of their uses are offered unasked."""
    known = [_declaration(json.loads(line)) for path in references or () for line in path.open(encoding="utf-8")]
    by_language: dict[str, list[Declaration]] = {}
    for each in known:
        by_language.setdefault(each.language, []).append(each)
    for folder in python or ():
        by_language.setdefault("python", []).extend(islice(of_python(folder), most))
    rows = []
    for language, declarations in by_language.items():
        random.Random(0).shuffle(declarations)
        renames = [followed(each) for each in declarations[:most]]
        if verbose:
            for each, rename in zip(declarations, renames, strict=False):
                if not rename.wanted == rename.offered == rename.right:
                    print(each.path, each.name, each.places[0], rename)
        rows.append(summary(language, renames))
    print_rows(report_console(), "Uses of renamed declarations", rows)
    if json_file is not None:
        write_json(json_file, {"renames": rows})


def _declaration(record: dict[str, Any]) -> Declaration:
    places = tuple((start, end) for start, end in record["places"])
    return Declaration(record["language"], record["path"], record["name"], places)


def followed(declaration: Declaration) -> Followed:
    """Rename the declaration, and ask what comes next."""
    text = Path(declaration.path).read_text(encoding="utf-8")
    (start, end), *uses = sorted(declaration.places)
    now = text[:start] + NEW + text[end:]
    history = EditHistory().after(text, now)
    shift = len(NEW) - (end - start)
    wanted = {use_start + shift for use_start, _ in uses}
    offered = [
        edit for edit in next_edits(now, declaration.language, history) if edit.probability >= LIKELIHOOD.threshold
    ]
    right = sum(edit.start in wanted and NEW in edit.text for edit in offered)
    return Followed(declaration.language, len(wanted), len(offered), right)


def summary(language: str, renames: list[Followed]) -> Row:
    wanted, offered, right = (sum(getattr(each, name) for each in renames) for name in ("wanted", "offered", "right"))
    return {
        "language": language,
        "renames": len(renames),
        "uses": wanted,
        "offered": right / max(1, wanted),
        "right": right / max(1, offered),
        "whole": sum(each.wanted == each.offered == each.right for each in renames) / max(1, len(renames)),
    }


def _is_member(name: Any) -> bool:
    return name.get_line_code()[: name.column].endswith(".")


def of_python(folder: Path) -> Iterator[Declaration]:
    """Names of the files of a folder with their places, as jedi finds them: one of each file, drawn."""
    import jedi

    draw = random.Random(0)
    files = sorted(folder.rglob("*.py"))
    draw.shuffle(files)
    for path in files:
        text = path.read_text(encoding="utf-8")
        if not 20 < text.count("\n") < 600:
            continue
        script = jedi.Script(text)
        names = script.get_names(all_scopes=True, definitions=True, references=False)
        draw.shuffle(names)
        for name in names[:3]:
            if name.type not in ("param", "statement", "function", "class", "module") or len(name.name) < 2:
                continue
            if name.name in ("self", "cls") or name.name.startswith("__"):
                continue
            # Of a parameter that gets another value jedi finds only the places before.
            same = [
                each for each in names
                if each.name == name.name and each.parent() == name.parent() and not _is_member(each)
            ] or [name]  # fmt: skip
            try:
                uses = [use for each in same for use in script.get_references(each.line, each.column, scope="file")]
            except Exception:  # jedi fails on some names
                continue
            starts = [0]
            for line in text.split("\n"):
                starts.append(starts[-1] + len(line) + 1)
            places = sorted({starts[use.line - 1] + use.column for use in uses if use.name == name.name})
            if FEWEST <= len(places) <= MOST and places[0] == starts[(name.line or 1) - 1] + (name.column or 0):
                spans = tuple((place, place + len(name.name)) for place in places)
                yield Declaration("python", str(path), name.name, spans)
                break


if __name__ == "__main__":
    typer.run(main)
