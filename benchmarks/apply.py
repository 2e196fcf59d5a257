"""Measure what merging lazy edits restores and that nothing is lost: `python -m benchmarks.apply FOLDER --json FILE`.

Each edit comes from a real file and a change of it: a statement or an entry changed, added or removed, a definition
added. One to four runs of pieces that the change leaves alone are left out behind markers, on every level from the file
down to the change. The merge should give the changed file back, or refuse; `lost` counts merges that lack a line of it.
"""

from __future__ import annotations

import random
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from benchmarks.report import Row, machine, print_rows, report_console, write_json
from coder.api.completion import Score, Where
from coder.api.text_requests import ApplyRequest
from coder.editing.apply import apply_edit
from coder.editing.merge.cutting import pieces_of
from coder.editing.merge.pieces import Piece
from coder.errors import InputError
from coder.syntax.languages import Language, language_of
from coder.syntax.soundness import is_sound

Kind = Literal["statement changed", "piece added", "piece removed", "definition added", "entry changed"]
KINDS: tuple[Kind, ...] = ("statement changed", "entry changed", "piece added", "piece removed", "definition added")
Outcome = Literal["restored", "refused", "moved", "lost"]

MOST_CHARACTERS = 40_000
WORD = re.compile(r"\b[a-z]\w{2,}\b|\b\d+\b")
CLAUSE = re.compile(r"\W*$|[})\]]|else|elif|except|finally|case")
OPENING = ("{", "(", "[", ":", "=>")
"""A head ends with one of these; readers do not expect markers in it."""

KEYWORD = re.compile(r"return|import|from|let|const|var")
ATTEMPTS = 12


@dataclass(frozen=True)
class LazyEdit:
    """A file, what it is to become, and an edit that leaves out some of that."""

    kind: Kind
    old: str
    new: str
    edit: str
    hidden: int


@dataclass(frozen=True)
class _Spot:
    """A piece in its file: the pieces that enclose it, the outermost first, and those beside it on each level."""

    levels: tuple[tuple[Piece, ...], ...]
    path: tuple[int, ...]

    @property
    def piece(self) -> Piece:
        return self.levels[-1][self.path[-1]]

    @property
    def beside(self) -> tuple[Piece, ...]:
        return self.levels[-1]


def lazy_edits(text: str, language: Language, count: int, seed: int = 0) -> Iterator[LazyEdit]:
    """Up to so many edits of a sound text that has none of the markers itself."""
    generator = random.Random(seed)
    pieces = pieces_of(text, language.name)
    if pieces is None or not is_sound(text, language.name):
        return
    spots = list(_spots((pieces.top,), ()))
    for _ in range(count if spots else 0):
        kind = generator.choice(KINDS)
        for _ in range(ATTEMPTS):
            spot = generator.choice(spots)
            changed = _changed(text, spot, kind, generator)
            if changed is not None and changed != text and is_sound(changed, language.name):
                found = _hidden(text, changed, language, kind, generator)
                if found is not None:
                    yield found
                    break


def changed_anywhere(text: str, language: Language, generator: random.Random) -> str | None:
    """The text with a change of some kind in some place that leaves it sound; None where none was found."""
    pieces = pieces_of(text, language.name)
    spots = [] if pieces is None else list(_spots((pieces.top,), ()))
    for _ in range(ATTEMPTS if spots else 0):
        changed = _changed(text, generator.choice(spots), generator.choice(KINDS), generator)
        if changed is not None and changed != text and is_sound(changed, language.name):
            return changed
    return None


def outcome(edit: LazyEdit, path: str) -> Outcome:
    """What comes of merging the edit."""
    try:
        merged = apply_edit(ApplyRequest(edit.old, edit.edit, Where(path)), _unsure).text
    except InputError:
        return "refused"
    if merged == edit.new:
        return "restored"
    missing = Counter(map(str.strip, edit.new.split("\n"))) - Counter(map(str.strip, merged.split("\n")))
    return "lost" if any(missing) else "moved"


def _unsure(prefix: str, suffix: str, middle: str, limits: object) -> Score:
    """A model that finds everything equally likely."""
    return Score(0.0, 0.0, 1)


def _spots(levels: tuple[tuple[Piece, ...], ...], path: tuple[int, ...]) -> Iterator[_Spot]:
    for index, piece in enumerate(levels[-1]):
        nested = levels[-1] is not levels[0]
        if not nested or _is_inside(levels[-1], index, levels[-2][path[-1]]):
            yield _Spot(levels, (*path, index))
        if piece.children:
            yield from _spots((*levels, piece.children), (*path, index))


def _is_inside(pieces: Sequence[Piece], index: int, parent: Piece) -> bool:
    """Whether it is neither a head nor a closing bracket, nor above the head."""
    piece = pieces[index]
    closing = index == len(pieces) - 1 and piece.text.startswith(("}", ")", "]", "end"))
    return (
        index > parent.lead and not closing and not re.match(r"\W*$|[})\]]|else|elif|except|finally|case", piece.text)
    )


def _changed(text: str, spot: _Spot, kind: Kind, generator: random.Random) -> str | None:
    lines = text.split("\n")
    piece = spot.piece
    last = [*lines[piece.first : piece.last + 1]]
    comment = "comment" in piece.kind
    if kind == "piece removed":
        if spot.path[-1] in (0, len(spot.beside) - 1) or piece.children or comment:
            return None
        return "\n".join([*lines[: piece.first - piece.blanks], *lines[piece.last + 1 :]])
    if kind == "definition added":
        if not piece.is_definition or not piece.name or not re.fullmatch(r"\w+", piece.name):
            return None
        copied = [re.sub(rf"\b{piece.name}\b", f"{piece.name}_too", line) for line in last]
        return "\n".join([*lines[: piece.last + 1], *[""] * piece.blanks, *copied, *lines[piece.last + 1 :]])
    if piece.children or comment or (kind != "piece added" and piece.is_entry != (kind == "entry changed")):
        return None
    words = [
        found for found in WORD.finditer(last[0]) if not re.match(r"return|import|from|let|const|var", found.group())
    ]
    if len(words) < 2:
        return None
    word = generator.choice(words[1:])
    other = f"{word.group()}{generator.randrange(10, 99)}"
    line = last[0][: word.start()] + other + last[0][word.end() :]
    if kind == "piece added":
        line = re.sub(r"\b([a-z]\w{2,})\b", lambda found: f"{found.group()}_{zlib.crc32(line.encode()) % 97}", line)
        return "\n".join([*lines[: piece.last + 1], line, *last[1:], *lines[piece.last + 1 :]])
    return "\n".join([*lines[: piece.first], line, *last[1:], *lines[piece.last + 1 :]])


def _hidden(old: str, new: str, language: Language, kind: Kind, generator: random.Random) -> LazyEdit | None:
    """The new text with runs of unchanged pieces behind markers, the ones right beside the change kept."""
    before, after = old.split("\n"), new.split("\n")
    first = _equal(before, after)
    last = max(first, len(after) - 1 - min(_equal(before[::-1], after[::-1]), len(after) - first))
    pieces = pieces_of(new, language.name)
    assert pieces is not None
    runs: list[tuple[int, int, str]] = []
    siblings, lead, named = pieces.top, -1, kind in ("definition added", "entry changed")
    while siblings:
        touched = [index for index, each in enumerate(siblings) if each.last >= first - 1 and each.first <= last + 1]
        inner = [index for index in touched if siblings[index].first <= first and siblings[index].last >= last]
        if not touched:
            return None
        descend = inner[0] if inner and siblings[inner[0]].children and siblings[inner[0]].first < first else None
        keep = 0 if descend is not None or named else 1
        left = list(range(lead + 1, touched[0] - keep))
        closed = lead >= 0 and siblings[-1].text.startswith(("}", ")", "]"))
        right = list(range(touched[-1] + 1 + keep, len(siblings) - closed))
        for side in (left, right):
            if side and generator.random() < 0.7:
                start, end = sorted((generator.choice(side), generator.choice(side)))
                if not any(re.match(r"[})\]]|\W*$", siblings[at].text) for at in range(start, end + 1)):
                    runs.append((siblings[start].first, siblings[end].last, siblings[start].indentation))
        if descend is None:
            break
        siblings = siblings[descend].children
        lead = next((at for at, each in enumerate(siblings) if each.text.endswith(OPENING)), len(siblings))
    runs = [run for run in generator.sample(runs, min(len(runs), 4)) if not (run[0] <= last and run[1] >= first)]
    if not runs:
        return None
    marker = f"{language.comment} ... existing code ..."
    lines = list(after)
    for start, end, indentation in sorted(runs, reverse=True):
        lines[start : end + 1] = [f"{indentation}{marker}"]
    return LazyEdit(kind, old, new, "\n".join(lines), len(runs))


def _equal(old: Sequence[str], new: Sequence[str]) -> int:
    """How many lines the two begin with alike."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((row for row, (a, b) in pairs if a != b), min(len(old), len(new)))


def main(
    folders: Annotated[list[Path], typer.Argument(help="Folders with source files.")],
    files: Annotated[int, typer.Option(help="Files of each language.")] = 60,
    edits: Annotated[int, typer.Option(help="Edits of each file.")] = 6,
    json: Annotated[Path | None, typer.Option(help="Where to write the figures.")] = None,
    show: Annotated[int, typer.Option(help="Edits that lose lines to print.")] = 0,
) -> None:
    """Merge edits of real files and count what becomes of them."""
    by_language: dict[str, list[tuple[Path, Language]]] = defaultdict(list)
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.is_file()):
        language = language_of(path.name)
        if language is not None and language.grammar is not None and path.stat().st_size <= MOST_CHARACTERS:
            by_language[language.name].append((path, language))
    counts: dict[tuple[str, Kind], Counter[Outcome]] = defaultdict(Counter)
    for name, found in by_language.items():
        for path, language in random.Random(0).sample(found, min(files, len(found))):
            try:
                text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
            except UnicodeDecodeError:
                continue
            for edit in lazy_edits(text, language, edits, zlib.crc32(path.name.encode())):
                result = outcome(edit, path.name)
                counts[name, edit.kind][result] += 1
                if result == "lost" and show > 0:
                    show -= 1
                    report_console().print(f"{path}: {edit.kind}\n{edit.edit}", markup=False)
    rows: list[Row] = [
        {"language": language, "kind": kind, "edits": found.total(), **{each: found[each] for each in _OUTCOMES}}
        for (language, kind), found in sorted(counts.items())
    ]
    print_rows(report_console(), "lazy edits merged", rows)
    if json is not None:
        write_json(json, {"machine": machine(), "rows": rows})


_OUTCOMES: tuple[Outcome, ...] = ("restored", "refused", "moved", "lost")

if __name__ == "__main__":
    typer.run(main)
