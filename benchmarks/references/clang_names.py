"""Declarations of C and C++ files with their places, as clang resolves them, for `benchmarks.rename_uses`.

`python clang_names.py FOLDER... -- FLAGS > c.jsonl`, with the package `libclang` and the system's own headers.
"""

# libclang comes with no extra: this program alone needs it.
# pyright: reportMissingImports=false

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clang.cindex import CursorKind, Index, TokenKind

LANGUAGES = {".c": "c", ".cc": "cpp", ".cpp": "cpp", ".cxx": "cpp", ".hpp": "cpp"}

OF_CLASSES = (CursorKind.CONSTRUCTOR, CursorKind.DESTRUCTOR)


def main(arguments: list[str]) -> None:
    split = arguments.index("--") if "--" in arguments else len(arguments)
    draw = random.Random(1)
    for root in arguments[:split]:
        for path in sorted(Path(root).rglob("*")):
            language = LANGUAGES.get(path.suffix)
            text = path.read_text(encoding="utf-8", errors="replace") if language else ""
            if language is None or not text.isascii() or len(text) > 60_000:
                continue
            flags = [*arguments[split + 1 :], f"-I{path.parent}", f"-I{root}", f"-I{root}/include", *_headers(language)]
            found = [each for each in declarations(path, text, flags) if 2 <= len(each[1]) <= 40]
            for name, places in draw.sample(found, min(6, len(found))):
                spans = [(place, place + len(name)) for place in places]
                print(json.dumps({"language": language, "path": str(path), "name": name, "places": spans}))


def declarations(path: Path, text: str, flags: list[str]) -> Iterator[tuple[str, list[int]]]:
    """Names that the file declares at their first place in it, with all their places. Those of which clang knows
    nothing somewhere, as in the arguments of a macro, are left out."""
    unit = Index.create().parse(str(path), args=flags)
    places: dict[tuple[str, int], set[int]] = {}
    unknown = set[str]()
    declared: dict[tuple[str, int], int] = {}
    for token in unit.get_tokens(extent=unit.cursor.extent):
        named = _named(token) if token.kind == TokenKind.IDENTIFIER else None
        where = named.location if named is not None else None
        if token.kind == TokenKind.IDENTIFIER and named is None:
            unknown.add(token.spelling)
        if named is None or where is None or where.file is None or where.file.name != str(path):
            continue
        key = token.spelling, where.offset
        places.setdefault(key, set()).add(token.location.offset)
        if token.location.offset == where.offset:
            declared[key] = where.offset
    for (name, _), at in declared.items():
        found = sorted(places[name, at])
        if name not in unknown and found[0] == at and all(text.startswith(name, place) for place in found):
            yield name, found


def _named(token: Any) -> Any:
    """What an identifier stands for, by its first declaration."""
    cursor = token.cursor
    named = cursor if cursor.spelling == token.spelling and cursor.kind.is_declaration() else cursor.referenced
    if named is None:
        return None
    named = named.canonical
    if named.kind in OF_CLASSES:
        named = named.semantic_parent.canonical
    return named if named.spelling.split("<")[0] == token.spelling else None


def _headers(language: str) -> list[str]:
    """Where the system's own compiler has its headers."""
    kind = "c++" if language == "cpp" else "c"
    told = subprocess.run(["gcc", "-E", "-v", "-x", kind, "/dev/null"], capture_output=True, text=True, check=True)
    lines = told.stderr.partition("search starts here:\n#include <...>")[2].splitlines()[1:]
    return [f"-isystem{line.strip()}" for line in lines if line.startswith(" /")] + (
        ["-xc++", "-std=c++17"] if language == "cpp" else []
    )


if __name__ == "__main__":
    main(sys.argv[1:])
