"""What a completion looks like in a terminal."""

from __future__ import annotations

import io
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from coder.api.completion import CanvasUpdate, Slot
from coder.commands.terminal.view import CONTEXT_LINES, CanvasView, canvas_text, in_place, surroundings

PREFIX = "def area(width, height):\n"
SUFFIX = "\n\n\nprint(area(2, 3))\n"
HALF_DONE = CanvasUpdate(
    settled="    return ",
    slots=(Slot("width", 0.95), Slot(None), Slot("height", 0.4, new=True), Slot(None)),
    passes=3,
    tokens=2,
)


def terminal(width: int = 80, height: int = 24) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, height=height, _environ={"TERM": "xterm"})


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def shown(console: Console, renderable: object) -> list[str]:
    with console.capture() as capture:
        console.print(renderable, style="none", no_wrap=False)
    return [line.rstrip() for line in capture.get().splitlines()]


def test_finished_text_stands_in_its_place_with_line_numbers():
    console = Console(width=60, color_system=None)
    lines = shown(console, in_place("    return width * height", surroundings(PREFIX, SUFFIX, 2)))
    assert lines[:2] == ["1  def area(width, height):", "2      return width * height"]
    assert lines[4] == "5  print(area(2, 3))"


def test_only_a_few_lines_around_are_shown_and_numbered_rightly():
    prefix = "".join(f"line {number}\n" for number in range(1, 101)) + "line 101, "
    around = surroundings(prefix, prefix, 101)
    lines = shown(Console(width=60, color_system=None), in_place("here", around))
    assert lines[0].split() == [f"{101 - CONTEXT_LINES}", "line", f"{101 - CONTEXT_LINES}"]
    assert lines[CONTEXT_LINES] == "101  line 101, hereline 1"
    assert len(lines) == 2 * CONTEXT_LINES + 1


def test_slots_are_drawn_by_state_and_confidence():
    text = canvas_text(HALF_DONE)
    assert text.plain == "    return width░░height░░"
    styles = {text.plain[span.start : span.end]: str(span.style) for span in text.spans}
    assert styles["width"] == "bright_green"
    assert styles["height"] == "red reverse"


def test_a_terminal_shows_the_canvas_between_the_lines_around_it():
    console = terminal()
    with CanvasView(console, surroundings(PREFIX, SUFFIX, 2)) as view:
        view.show(HALF_DONE)
        output = written(console)
    assert "pass   3    4 tokens" in output
    for part in ("def area", "width", "░░", "height", "print(area(2, 3))"):
        assert part in output


def test_the_statistics_come_last():
    console = terminal()
    with CanvasView(console, surroundings(PREFIX, SUFFIX, 2)) as view:
        view.show(HALF_DONE)
        assert written(console).index("print(area(2, 3))") < written(console).index("4 tokens")


def test_the_place_is_seen_before_the_model_is_loaded():
    console = terminal()
    with CanvasView(console, surroundings(PREFIX, SUFFIX, 2)) as view:
        view.wait()
        assert written(console).count("░░") == 16
        assert written(console).index("def area") < written(console).index("loading the model")


def test_the_end_of_a_long_text_stays_in_sight():
    console = terminal(height=10)
    settled = "".join(f"    line_{number}()\n" for number in range(50))
    with CanvasView(console, surroundings(PREFIX, "\nafter()", 2)) as view:
        view.show(CanvasUpdate(settled, (Slot("here"),), 9, 200))
        output = written(console)
    assert "line_49()" in output
    assert "here" in output
    assert "after()" in output
    assert "line_5()" not in output
    assert output.count("\n") < 10


@pytest.mark.parametrize(
    "console",
    [
        Console(file=io.StringIO(), width=60),
        Console(file=io.StringIO(), width=60, force_terminal=True, _environ={"TERM": "dumb"}),
    ],
    ids=["file", "dumb terminal"],
)
def test_where_nothing_can_be_redrawn_each_update_is_a_line(console):
    slots = (Slot("a = [\n"), Slot(None), Slot("[/bold]"))
    with CanvasView(console, surroundings(PREFIX, SUFFIX, 2)) as view:
        view.show(HALF_DONE)
        view.show(CanvasUpdate("", slots, 4, 0))
    first, second = written(console).splitlines()
    assert first.startswith("pass   3    4 tokens")
    assert first.endswith("width░░height░░")
    assert second.endswith("a = [\\n░░[/bold]")
    assert "\x1b" not in written(console)


def test_a_console_without_unicode_draws_masks_in_ascii():
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    with CanvasView(Console(file=file, width=60), surroundings(PREFIX, SUFFIX, 2)) as view:
        view.show(HALF_DONE)
    file.seek(0)
    assert file.read().rstrip().endswith("width__height__")


@given(st.text(st.characters(max_codepoint=0x9F) | st.sampled_from("漢é\n"), max_size=40))
def test_no_text_commands_the_terminal(text):
    """Neither a model nor a file can send escape sequences."""
    console = Console(file=io.StringIO(), width=60, color_system=None, force_terminal=True, _environ={"TERM": "xterm"})
    console.print(in_place(text, surroundings(text, text, 1 + text.count("\n"))))
    allowed = {"\n", " "}
    assert all(character.isprintable() or character in allowed for character in written(console))


@given(st.integers(1, 60), st.integers(4, 30), st.integers(0, 40))
def test_frames_fit_any_terminal(width, height, length):
    console = terminal(width, height)
    update = CanvasUpdate("x" * length + "\n", tuple(itertools.repeat(Slot(None), 16)), 1, 1)
    with CanvasView(console, surroundings(PREFIX, SUFFIX, 2)) as view:
        view.show(update)
        assert written(console).count("\n") < height + 1
