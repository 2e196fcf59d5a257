"""Draws the pictures of the README from a real run: `python docs/make_pictures.py`.

Writes `docs/pictures/denoising.svg`, a recording that plays in a browser, and `docs/pictures/canvas.svg`, one moment of
it above the finished text. Both look as the terminal does.
"""

from __future__ import annotations

import io
import time
from itertools import pairwise
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.text import Text

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, Decoding, Where
from coder.commands.targets import parse_target
from coder.commands.terminal.source import read_source
from coder.commands.terminal.view import STATUS, ViewSurroundings, frame, in_place, progress, surroundings
from coder.engine.engine import Engine

ROOT = Path(__file__).parents[1]
EXAMPLE = "examples/averages.py:24"
COMMAND = f"quickfill complete {EXAMPLE} --watch"
WIDTH = 92
SLOWER = 2.0
RUNS = 5
"""The fastest one is drawn: other programs disturb the rest."""

LAST_FRAME_SECONDS = 5.0

TERMINAL = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: {char_height}px; \
line-height: {line_height}px }}
.{unique_id}-title {{ font-family: sans-serif; font-size: 18px; font-weight: bold }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g>
</g>
</svg>
"""


def run(engine: Engine, request: CompletionRequest) -> tuple[list[tuple[float, CanvasUpdate]], Completion]:
    """Every canvas update with its seconds since the start, then the completion."""
    started = time.perf_counter()
    updates: list[tuple[float, CanvasUpdate]] = []
    for event in engine.stream(request):
        if isinstance(event, Completion):
            return updates, event
        if event.slots:
            updates.append((time.perf_counter() - started, event))
    raise AssertionError("a stream ends with its completion")


def terminal() -> Console:
    return Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")


def height(content: RenderableType) -> int:
    """How many lines of the terminal it takes."""
    return len(terminal().render_lines(content, pad=False))


def svg(content: RenderableType, lines: int, name: str) -> str:
    """A picture of a terminal of so many lines. `name` makes its styles its own."""
    console = terminal()
    console.print(content)
    for _ in range(lines - height(content)):
        console.print()
    return console.export_svg(title="quickfill", code_format=TERMINAL, unique_id=name)


def recording(frames: list[tuple[float, str]]) -> str:
    """One picture that shows each of the `frames` from its second on, over and over; the last one where nothing moves.

    The seconds of the first one are 0.
    """
    total = frames[-1][0] + LAST_FRAME_SECONDS
    size = frames[0][1].split('viewBox="', 1)[1].split('"', 1)[0]
    styles, pictures = [], []
    for index, ((start, picture), (end, _)) in enumerate(pairwise([*frames, (total, "")])):
        shown, hidden = 100 * start / total, 100 * end / total
        styles.append(
            f"@keyframes frame{index} {{ 0% {{ visibility: hidden }} {shown:.2f}% {{ visibility: visible }} "
            f"{hidden:.2f}%, 100% {{ visibility: hidden }} }}"
        )
        still = "visible" if index == len(frames) - 1 else "hidden"
        pictures.append(
            f'<g style="visibility: {still}; animation: frame{index} {total:.2f}s step-end infinite">{picture}</g>'
        )
    style = "\n".join(styles)
    body = "".join(pictures)
    return f'<svg viewBox="{size}" xmlns="http://www.w3.org/2000/svg"><style>\n{style}\n</style>\n{body}</svg>\n'


def finished(completion: Completion, around: ViewSurroundings) -> RenderableType:
    cost = f"{completion.tokens} tokens in {completion.passes} passes, {completion.seconds:.2f} s"
    return Group(in_place(completion.text, around), Text(cost, STATUS))


def telling(update: CanvasUpdate) -> tuple[int, int]:
    """How many slots are settled behind one that is still masked, which no left-to-right decoder shows; then how evenly
    settled and masked ones are mixed."""
    texts = [slot.text for slot in update.slots]
    masked = texts.count(None)
    behind = sum(text is not None for text in texts[texts.index(None) :]) if masked else 0
    return behind, min(masked, len(texts) - masked)


def main() -> None:
    target = parse_target(EXAMPLE)
    assert target.position is not None
    source = read_source(ROOT / target.file)
    offset = source.offset(target.position.line, target.position.column)
    prefix, suffix = source.text[:offset], source.text[offset:]
    around = surroundings(prefix, suffix, target.position.line)

    engine = Engine.load(runtime="onnx")
    request = CompletionRequest(prefix, suffix, Where(target.file), decoding=Decoding(policy="threshold"))
    engine.complete(request)  # what is recorded starts with a warm cache, as in an editor
    updates, completion = min((run(engine, request) for _ in range(RUNS)), key=lambda done: done[1].seconds)

    prompt = Text(f"$ {COMMAND}\n", "bold")
    states = [(seconds, Group(prompt, frame(update, around, progress(update, seconds)))) for seconds, update in updates]
    states.append((completion.seconds, Group(prompt, finished(completion, around))))
    lines = max(height(state) for _, state in states)
    first = states[0][0]
    frames = [
        ((seconds - first) * SLOWER, svg(state, lines, f"frame{index}"))
        for index, (seconds, state) in enumerate(states)
    ]
    seconds, update = max(updates, key=lambda timed: telling(timed[1]))
    both = Group(prompt, frame(update, around, progress(update, seconds)), "", finished(completion, around))

    folder = ROOT / "docs" / "pictures"
    folder.mkdir(exist_ok=True)
    (folder / "denoising.svg").write_text(recording(frames), encoding="utf-8")
    (folder / "canvas.svg").write_text(svg(both, height(both), "canvas"), encoding="utf-8")


if __name__ == "__main__":
    main()
