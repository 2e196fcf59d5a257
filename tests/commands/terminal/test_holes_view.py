"""What a text with several holes looks like in a terminal."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from coder.api.completion import CanvasUpdate, Slot
from coder.api.text_requests import HoleUpdate
from coder.commands.terminal.holes_view import HolesView, in_places
from coder.commands.terminal.view import CONTEXT_LINES

TEXTS = ("def mean(values):\n    return ", " / ", "\n\n\nprint(mean([1]))\n")
FIRST = HoleUpdate(0, CanvasUpdate("su", (Slot("m", 0.9), Slot(None)), passes=3, tokens=1))
DONE = HoleUpdate(0, CanvasUpdate("sum(values)", (), passes=4, tokens=3))
SECOND = HoleUpdate(1, CanvasUpdate("", (Slot(None), Slot("(values)", 0.4, new=True)), passes=1, tokens=0))


def terminal(width: int = 80, height: int = 24) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, height=height, _environ={"TERM": "xterm"})


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def plain(texts: tuple[str, ...], answers: list[str]) -> list[str]:
    console = Console(width=80, color_system=None)
    with console.capture() as capture:
        console.print(in_places(texts, answers))
    return [line.rstrip() for line in capture.get().splitlines()]


def test_finished_answers_stand_in_their_places():
    lines = plain(TEXTS, ["sum(values)", "len(values)"])
    assert lines[:2] == ["1  def mean(values):", "2      return sum(values) / len(values)"]
    assert lines[4] == "5  print(mean([1]))"


def test_only_a_few_lines_around_the_holes_are_shown_and_numbered_rightly():
    many = "".join(f"line {number}\n" for number in range(1, 101))
    lines = plain((f"{many}x = ", "\ny = ", "\n" + many), ["1", "2"])
    assert lines[0].split() == [f"{101 - CONTEXT_LINES}", "line", f"{101 - CONTEXT_LINES}"]
    assert [line.split(maxsplit=1) for line in lines[CONTEXT_LINES : CONTEXT_LINES + 2]] == [
        ["101", "x = 1"],
        ["102", "y = 2"],
    ]
    assert len(lines) == 2 * CONTEXT_LINES + 2


def test_every_hole_is_drawn_at_once():
    console = terminal()
    with HolesView(console, TEXTS) as view:
        view.show(FIRST)
        first = written(console)
        view.show(DONE)
        view.show(SECOND)
        second = written(console)[len(first) :]
    assert "hole 1 of 2  pass   3" in first
    assert "su" in first and "░░" in first
    assert "hole 2 of 2  pass   1" in second
    assert "sum(values)" in second and "(values)" in second and "print(mean([1]))" in second


def test_where_nothing_can_be_redrawn_each_update_is_a_line():
    console = Console(file=io.StringIO(), width=60)
    with HolesView(console, TEXTS) as view:
        view.show(FIRST)
        view.show(SECOND)
    first, second = written(console).splitlines()
    assert first.startswith("hole 1  pass   3") and first.endswith("m░░")
    assert second.startswith("hole 2  pass   1") and second.endswith("░░(values)")


@given(st.integers(1, 60), st.integers(4, 30), st.lists(st.text("x\n", max_size=30), min_size=3, max_size=3))
def test_frames_fit_any_terminal(width: int, height: int, texts: list[str]):
    console = terminal(width, height)
    with HolesView(console, texts) as view:
        view.show(FIRST)
        view.show(SECOND)
        for drawn in written(console).split("\x1b[?25l")[-1].split("\r"):
            assert drawn.count("\n") < height + 1


@given(st.text(st.characters(max_codepoint=0x9F), max_size=40))
def test_no_text_commands_the_terminal(text: str):
    console = Console(file=io.StringIO(), width=60, color_system=None, force_terminal=True, _environ={"TERM": "xterm"})
    console.print(in_places((text, text, text), [text, text]))
    assert all(character.isprintable() or character in {"\n", " "} for character in written(console))
