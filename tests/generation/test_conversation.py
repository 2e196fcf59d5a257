"""Where an answer of a conversation ends: at what repeats itself, unless it copies what it was shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.api.completion import Turn
from coder.generation.conversation import reason_to_stop, without_loop

TABLE = "GRID = [\n" + "    row(None, 1),\n" * 6 + "]\n"
COLUMNS = "WIDTHS = [" + ", ".join(["None"] * 12) + "]\n"
PAIRS = "x = {\n" + "    begin(),\n    end(),\n" * 4 + "}\n"
RULER = "# " + "-" * 120 + "\n"
COUNTED = "IDS = [" + ", ".join(map(str, range(40))) + "]\n"
REPEATING = [TABLE, COLUMNS, PAIRS, RULER, COUNTED]


def said(code: str) -> list[Turn]:
    return [Turn("user", f"Double the first one.\n\n```python\n{code}\n```")]


def reason(text: str, code: str) -> str | None:
    return reason_to_stop(text, lambda whole: whole, said(code))


@pytest.mark.parametrize("code", REPEATING)
def test_what_repeats_itself_in_the_old_lines_may_be_copied(code: str):
    assert reason(code, "x = 1\n") == "loop"
    assert reason(code, code) is None
    assert without_loop(code, said(code)) == code


def test_a_row_of_a_table_may_be_changed_and_some_added():
    changed = TABLE.replace("row(None, 1)", "row(None, 2)", 1)
    assert reason(changed, TABLE) is None
    assert reason(TABLE.replace("]", "    row(None, 1),\n    row(None, 1),\n]"), TABLE) is None


@pytest.mark.parametrize("code", [TABLE, COLUMNS, PAIRS, RULER])
def test_an_endless_copy_is_a_loop_all_the_same(code: str):
    endless = code.rstrip("\n]}") + code.rstrip("\n]}").split("[")[-1].split("{")[-1] * 9
    assert reason(endless, code) == "loop"


@given(st.lists(st.sampled_from(["a(b),", "c(d, d, d, d, d),", "x = 0", "", "e" * 130]), max_size=30))
def test_a_whole_copy_is_never_a_loop(lines: list[str]):
    code = "\n".join(lines)
    assert reason(code, code) is None
