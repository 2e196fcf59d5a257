"""Lines of another file that use the names that are used at the cursor."""

from __future__ import annotations

from dataclasses import dataclass

from lsp.suggest.snippets.place import OpenFile, Place, identifiers

WINDOW, STEP = 20, 10
"""Lines, as RepoCoder's sparse retriever takes them (https://arxiv.org/abs/2303.12570)."""

LEAST_ALIKE = 0.15

MOST_LINES = 2000
"""Of a file; what lies behind them is not looked at."""


@dataclass(frozen=True)
class Alike:
    """`likeness` is the Jaccard index of the identifiers: shared ones among all of both."""

    text: str
    likeness: float


def most_alike(place: Place, file: OpenFile) -> Alike | None:
    """The lines of a file that are most like those at the cursor, if they are alike at all."""
    wanted = identifiers(place.around(above=WINDOW, below=STEP))
    best: Alike | None = None
    for start in range(0, max(1, min(MOST_LINES, len(file.lines)) - STEP), STEP):
        text = "\n".join(file.lines[start : start + WINDOW])
        found = identifiers(text)
        likeness = len(wanted & found) / max(1, len(wanted | found))
        if likeness >= max(LEAST_ALIKE, best.likeness if best else 0.0):
            best = Alike(text.strip("\n"), likeness)
    return best
