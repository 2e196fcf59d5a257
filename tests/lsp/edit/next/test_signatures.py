"""A parameter comes or goes: what its calls become."""

from __future__ import annotations

import pytest

from lsp.edit.next.history import EditHistory
from lsp.edit.next.suggestions import NextEdit, calls, next_edits
from lsp.edit.next.words import Words


def adapted(before: str, now: str) -> str:
    """The text after all that is sure about calls was done."""
    history = EditHistory().after(before, now)
    for edit in sorted(calls(Words(now, "python"), history), key=lambda edit: -edit.start):
        assert edit.source == "signature"
        now = now[: edit.start] + edit.text + now[edit.end :]
    return now


def module(head: str, *lines: str) -> str:
    return f"def area({head}):\n    return 1\n\n\ndef use(width, height):\n" + "".join(
        f"    {line}\n" for line in lines
    )


@pytest.mark.parametrize(
    ("old", "new", "call", "expected"),
    [
        ("width, unit", "width", "area(1, 'cm')", "area(1)"),
        ("unit, width", "width", "area('cm', width)", "area(width)"),
        ("width, unit='cm'", "width", "area(1, unit='m')", "area(1)"),
        ("width, *, unit", "width", "x = area(unit=f(1, 2), width=3)", "x = area(width=3)"),
        ("unit", "", "area(unit)", "area()"),
        ("width, unit: str = 'cm', *rest", "width, *rest", "area(1, 'm', 2)", "area(1, 'm', 2)"),  # which one is it?
        ("width, unit='cm'", "width", "area(*sizes)", "area(*sizes)"),
        ("unit='cm', width=1", "width=1", "area(2)", "area(2)"),  # it may be the width already
        ("width", "width, height", "area(width)", "area(width, height)"),
        ("width", "height, width", "area(width)", "area(height, width)"),
        ("width, *, unit=1", "width, *, height, unit=1", "area(1, unit=2)", "area(1, unit=2, height=height)"),
        ("", "height", "area()", "area(height)"),
        ("width", "width, height=1", "area(width)", "area(width)"),  # it need not be given
        ("width", "width, depth", "area(width)", "area(width)"),  # nobody knows what to give
        ("width", "width, height", "area(width, height)", "area(width, height)"),  # it has it already
        ("width", "width, height", "other.area(width)", "other.area(width)"),
    ],
)
def test_what_is_sure_about_a_call_is_done(old, new, call, expected):
    assert adapted(module(old, call), module(new, call)) == module(new, expected)


CLASS = """class Box:
    def __init__(self, width{init}):
        pass

    def grow(self, by{grow}):
        super().grow(by, 2)
        Box.grow(self, by)
        return self.grow(by{call})


def new():
    box = Box(1{constructed})
    return box.grow(3{call})
"""


def test_methods_are_called_without_what_they_are_called_on():
    old = CLASS.format(init="", grow=", times", call=", 2", constructed="")
    assert adapted(old, old.replace("by, times", "by")) == CLASS.format(init="", grow="", call="", constructed="")


def test_classes_are_called_as_they_are_initialised():
    old = CLASS.format(init=", height", grow="", call="", constructed=", height=2")
    assert adapted(old, old.replace("width, height", "width")) == CLASS.format(
        init="", grow="", call="", constructed=""
    )


def test_of_two_functions_of_one_name_nothing_is_said():
    old = module("width, unit", "area(1, 2)") + "\n\nclass A:\n    def area(self):\n        pass\n"
    now = old.replace("width, unit", "width")
    assert adapted(old, now) == now


def test_what_is_sure_comes_with_what_is_likely():
    old, now = module("width, unit", "area(1, 'cm')"), module("width", "area(1, 'cm')")
    (edit,) = [edit for edit in next_edits(now, "python", EditHistory().after(old, now)) if edit.source == "signature"]
    assert isinstance(edit, NextEdit)
    assert (edit.title, edit.text) == ("area no longer takes unit", "")
