"""The view of a completion in a terminal: the canvas while it is denoised, and the finished text in its place."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from coder.api.completion import CanvasUpdate, Slot

CONTEXT_LINES = 5
"""Lines of the file shown above the hole, and below it."""

WAITING = CanvasUpdate("", (Slot(None),) * 16, 0, 0)
"""An empty canvas, drawn while the model is loaded."""

LOADING = "loading the model"

MASK = "░░"
ASCII_MASK = "__"

CONTEXT = "dim"
SETTLED = "bold"
INSERTED = "bold green"
MASKED = "bright_black"
STATUS = "dim"
CONFIDENCE_STYLES = ((0.9, "bright_green"), (0.7, "green"), (0.5, "yellow"))
DOUBTFUL = "red"

UNWELCOME = (*range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
VISIBLE = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"} | dict.fromkeys(UNWELCOME, 0xFFFD)
"""Control characters, and those that change the writing direction, as visible ones: neither a file nor a model may
command the terminal or hide what it says."""


@dataclass(frozen=True)
class ViewSurroundings:
    """The few lines around a hole, and the number of the first of them."""

    before: str
    after: str
    first_line: int


def surroundings(prefix: str, suffix: str, line: int) -> ViewSurroundings:
    """Cut them from the text around a hole in line number `line`, in which lines end with a line feed."""
    before = prefix.rsplit("\n", CONTEXT_LINES + 1)[-(CONTEXT_LINES + 1) :]
    after = suffix.split("\n", CONTEXT_LINES + 1)[: CONTEXT_LINES + 1]
    return ViewSurroundings("\n".join(before), "\n".join(after), line - len(before) + 1)


def in_place(text: str, around: ViewSurroundings) -> RenderableType:
    """The finished text between the lines around it."""
    return numbered(_between(Text(visible(text), INSERTED), around), around.first_line)


class ViewRegion:
    """One region of a terminal, drawn again and again; a context manager.

    Where that is not possible (a dumb terminal, a file) each state is a line.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._mask = ASCII_MASK if console.options.ascii_only else MASK
        self._started = time.perf_counter()
        redraws = console.is_terminal and not console.is_dumb_terminal
        self._live = Live(console=console, transient=True, auto_refresh=False) if redraws else None

    def __enter__(self) -> Self:
        self._started = time.perf_counter()
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    @property
    def seconds(self) -> float:
        """Since the view was entered."""
        return time.perf_counter() - self._started

    def draw(self, renderable: Callable[[int, int], RenderableType], line: Callable[[], str] | None = None) -> None:
        """Show a state: `renderable` for a width and a number of rows, both in cells, or `line` if there is one."""
        if self._live:
            self._live.update(renderable(self._console.width, self._console.height - 2), refresh=True)
        elif line:
            self._console.print(Text(line()), soft_wrap=True)


class CanvasView(ViewRegion):
    """Draws the canvas of one hole between the lines around it."""

    def __init__(self, console: Console, around: ViewSurroundings) -> None:
        super().__init__(console)
        self._around = around

    def show(self, update: CanvasUpdate) -> None:
        """Draw the state after a pass."""
        self.draw(
            lambda width, rows: frame(update, self._around, progress(update, self.seconds), self._mask, width, rows),
            lambda: progress_line(update, self.seconds, self._mask),
        )

    def wait(self) -> None:
        """Draw the place as it is before the model is loaded."""
        self.draw(lambda width, rows: frame(WAITING, self._around, LOADING, self._mask, width, rows))


def frame(
    update: CanvasUpdate,
    around: ViewSurroundings,
    status: str,
    mask: str = MASK,
    width: int | None = None,
    rows: int | None = None,
) -> RenderableType:
    """The state after a pass: the canvas between the lines around it, and below it the status, small.

    With a width and a number of rows, both in cells, only the end is shown if it does not fit.
    """
    text = _between(canvas_text(update, mask), around)
    return Group(numbered(text, around.first_line, width, rows), Text(status, STATUS))


def progress_line(update: CanvasUpdate, seconds: float, mask: str = MASK) -> str:
    """The state after a pass, without what is settled, on one line."""
    canvas = Text.assemble(*_slot_parts(update.slots, mask)).plain.replace("\n", "\\n")
    return f"{progress(update, seconds)}  {canvas}"


def canvas_text(update: CanvasUpdate, mask: str = MASK) -> Text:
    """Settled text, then the canvas: what is new in reverse, the colour by confidence, `mask` for a masked slot."""
    return Text.assemble((visible(update.settled), SETTLED), *_slot_parts(update.slots, mask))


def _slot_parts(slots: tuple[Slot, ...], mask: str) -> Iterator[tuple[str, str]]:
    for slot in slots:
        if slot.text is None:
            yield mask, MASKED
        else:
            colour = _confidence_style(slot.confidence)
            yield visible(slot.text), f"{colour} reverse" if slot.new else colour


def _confidence_style(confidence: float | None) -> str:
    if confidence is None:
        return SETTLED
    return next((style for least, style in CONFIDENCE_STYLES if confidence >= least), DOUBTFUL)


def progress(update: CanvasUpdate, seconds: float) -> str:
    """Passes, tokens, and tokens a second."""
    tokens = update.tokens + sum(slot.text is not None for slot in update.slots)
    rate = tokens / seconds if seconds > 0 else 0.0
    return f"pass {update.passes:>3}  {tokens:>3} tokens  {rate:5.1f} tok/s"


def _between(middle: Text, around: ViewSurroundings) -> Text:
    return Text.assemble((visible(around.before), CONTEXT), middle, (visible(around.after), CONTEXT))


def numbered(text: Text, first_line: int, width: int | None = None, rows: int | None = None) -> Table:
    """Lines with their numbers; with a width, the last ones that fit into so many rows of the terminal."""
    lines = list(enumerate(text.split("\n", allow_blank=True), first_line))
    gutter = len(str(lines[-1][0])) + 2
    if width is not None and rows is not None:
        lines = _last_that_fit(lines, max(1, width - gutter), rows)
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", style=CONTEXT, no_wrap=True)
    table.add_column(overflow="fold")
    for number, line in lines:
        table.add_row(str(number), line)
    return table


def _last_that_fit(lines: list[tuple[int, Text]], width: int, rows: int) -> list[tuple[int, Text]]:
    first = len(lines)
    while first and (rows := rows - max(1, -(-cell_len(lines[first - 1][1].plain) // width))) >= 0:
        first -= 1
    return lines[first:] or lines[-1:]


def visible(text: str) -> str:
    """Return the text with control characters made visible, so that it cannot command the terminal."""
    return text.translate(VISIBLE)
