"""The view of a text with several holes in a terminal: all of them while they are denoised, and filled at last."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.text import Text

from coder.api.text_requests import HoleUpdate
from coder.commands.terminal.view import (
    CONTEXT,
    CONTEXT_LINES,
    INSERTED,
    LOADING,
    MASKED,
    STATUS,
    ViewRegion,
    canvas_text,
    numbered,
    progress,
    progress_line,
    visible,
)
from coder.editing.fill import joined


class HolesView(ViewRegion):
    """Draws every hole between the texts around them."""

    def __init__(self, console: Console, texts: Sequence[str]) -> None:
        super().__init__(console)
        self._texts = texts
        self._updates: dict[int, HoleUpdate] = {}

    def show(self, update: HoleUpdate) -> None:
        """Draw the state after a pass."""
        self._updates[update.hole] = update
        self.draw(
            lambda width, rows: self._frame(update.hole, self._progress(update), width, rows),
            lambda: f"hole {update.hole + 1}  {progress_line(update.canvas, self.seconds, self._mask)}",
        )

    def wait(self) -> None:
        """Draw the text as it is before the model is loaded."""
        self.draw(lambda width, rows: self._frame(0, LOADING, width, rows))

    def _progress(self, latest: HoleUpdate) -> str:
        return f"hole {latest.hole + 1} of {len(self._texts) - 1}  {progress(latest.canvas, self.seconds)}"

    def _frame(self, in_sight: int, status: str, width: int, rows: int) -> RenderableType:
        holes = [self._hole(index) for index in range(len(self._texts) - 1)]
        return Group(between(self._texts, holes, in_sight, width, rows), Text(status, STATUS))

    def _hole(self, index: int) -> Text:
        if (known := self._updates.get(index)) is None:
            return Text(self._mask, MASKED)
        if not known.canvas.slots:
            return Text(visible(known.canvas.settled), INSERTED)
        return canvas_text(known.canvas, self._mask)


def in_places(texts: Sequence[str], answers: Sequence[str]) -> RenderableType:
    """The finished answers between the texts around them."""
    return between(texts, [Text(visible(answer), INSERTED) for answer in answers], len(answers) - 1)


def between(
    texts: Sequence[str], holes: Sequence[Text], in_sight: int, width: int | None = None, rows: int | None = None
) -> RenderableType:
    """The text from a few lines above the first hole on to a few below the last one, its lines numbered.

    With a width and a number of rows, both in cells, less of it, such that the hole `in_sight` is seen.
    """
    above = texts[0].count("\n") - CONTEXT_LINES
    first_line = max(0, above) + 1
    start = texts[0].split("\n", max(0, above))[-1]
    parts = [start, *texts[1:]]
    last = in_sight if rows is not None else len(holes) - 1
    below = joined(parts[last + 1 :], [hole.plain for hole in holes[last + 1 :]])
    end = "\n".join(below.split("\n")[: CONTEXT_LINES + 1])
    text = Text()
    for part, hole in zip(parts, holes[: last + 1], strict=False):
        text.append(visible(part), CONTEXT).append_text(hole)
    return numbered(text.append(visible(end), CONTEXT), first_line, width, rows)
