"""Edits that can be read in several ways: nothing is lost unless the user chooses so."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest

from coder.api.completion import Where
from coder.api.text_requests import ApplyRequest
from coder.editing.apply import apply_edit
from coder.editing.changes import lost_rows
from coder.errors import InputError
from tests.editing.apply.examples import DOUBTFUL, parts_of
from tests.editing.apply.models import nobody

MODULE = "import os\n\n\ndef a():\n    return 1\n\n\ndef b():\n    return 2\n\n\ndef c():\n    return 3\n"


@pytest.mark.parametrize("example", DOUBTFUL, ids=lambda path: path.stem)
def test_nothing_is_written_where_readings_differ_in_what_is_lost(example: Path):
    path, text, edit = parts_of(example)
    with pytest.raises(InputError, match="--reading N") as refused:
        apply_edit(ApplyRequest(text, edit, Where(path)), nobody)
    shown = str(refused.value)
    numbers = [int(line.split()[1]) for line in shown.splitlines() if line.startswith("reading ")]
    losses = [
        lost_rows(text, apply_edit(ApplyRequest(text, edit, Where(path), reading=number), nobody).text)
        for number in numbers
    ]
    assert len(set(losses)) == len(numbers)
    assert [f"removes {len(loss)} line" in shown for loss in losses] == [True] * len(losses)


def test_a_chosen_reading_is_taken():
    edit = "import os\n\n\ndef c():\n    return 4\n"
    kept = apply_edit(ApplyRequest(MODULE, edit, Where("a.py"), reading=1), nobody)
    assert kept.text == MODULE.replace("return 3", "return 4")
    replaced = apply_edit(ApplyRequest(MODULE, edit, Where("a.py"), reading=2), nobody)
    assert (replaced.text, replaced.readings) == (edit, 2)
    with pytest.raises(InputError, match="no reading 3: the edit has 2"):
        apply_edit(ApplyRequest(MODULE, edit, Where("a.py"), reading=3), nobody)


def test_parts_are_counted_not_words():
    edit = "# ...\ndef b():\n    x = os.getcwd()\n    y = x.upper()\n    return y\n# ...\n"
    assert apply_edit(ApplyRequest(MODULE, edit, Where("a.py")), nobody).parts == 1
    edit = "# ...\ndef b():\n    return 4\n\n\ndef c():\n    return 5\n"
    assert apply_edit(ApplyRequest(MODULE, edit, Where("a.py")), nobody).parts == 2


def test_lines_keep_their_own_breaks():
    text = "x = 1\r\ny = 2\nz = 3\r\nw = 4\r\n"
    changed = apply_edit(ApplyRequest(text, "# ...\nz = 5\nw = 4\nv = 6\n", Where("a.py")), nobody).text
    assert changed == "x = 1\r\ny = 2\nz = 5\r\nw = 4\r\nv = 6\r\n"


def test_a_merge_stops_when_nobody_waits_or_time_is_up():
    text = "\n".join(f"x_{number} = {number}" for number in range(400))
    edit = "# ...\nx_7 = 8\n# ...\nx_90 = 91\n# ...\n"
    with pytest.raises(InputError, match="time was up"):
        apply_edit(ApplyRequest(text, edit, Where("a.py"), deadline_ms=0.01), nobody)
    stopped = Event()
    stopped.set()
    with pytest.raises(InputError, match="time was up"):
        apply_edit(ApplyRequest(text, edit, Where("a.py")), nobody, stopped)
