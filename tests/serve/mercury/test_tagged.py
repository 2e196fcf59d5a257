"""Mercury's tags."""

from __future__ import annotations

import pytest

from coder.serve.http.refusals import RefusedError
from coder.serve.mercury.tagged import Apply, TaggedEdit, apply, next_edit

MESSAGE = """<|recently_viewed_code_snippets|>

<|/recently_viewed_code_snippets|>

<|current_file_content|>
current_file_path: shop/prices.py
import math
<|code_to_edit|>
def net(price):
    return pr<|cursor|>
<|/code_to_edit|>

print(net(1))
<|/current_file_content|>

<|edit_diff_history|>

<|/edit_diff_history|>
"""


def test_the_file_is_put_together_again():
    asked = next_edit(MESSAGE)
    assert asked.path == "shop/prices.py"
    assert asked.text == "import math\ndef net(price):\n    return pr\n\nprint(net(1))"
    assert asked.text[asked.start : asked.end] == "def net(price):\n    return pr"
    assert asked.cursor == asked.text.index("pr\n") + 2


def test_the_region_of_a_changed_text():
    asked = TaggedEdit("a.py", "one\ntwo\nthree", 4, 7, None)
    assert asked.region_of("one\nzwei\nthree") == "zwei"


def test_without_a_path_and_a_cursor():
    message = "<|current_file_content|>\n<|code_to_edit|>\nx = 1\n<|/code_to_edit|>\n<|/current_file_content|>"
    assert next_edit(message) == TaggedEdit("", "x = 1", 0, 5, None)


def test_an_apply_request():
    message = "<|original_code|>\nx = 1\ny = 2\n<|/original_code|>\n\n<|update_snippet|>\nx = 3\n<|/update_snippet|>"
    assert apply(message) == Apply("x = 1\ny = 2", "x = 3")


@pytest.mark.parametrize("message", ["", "<|original_code|>\nx", "<|/original_code|><|original_code|>"])
def test_a_missing_tag_is_named(message: str):
    with pytest.raises(RefusedError, match="original_code"):
        apply(message)
