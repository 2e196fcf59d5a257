"""What holds for every text and every edit."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lsp.edit.next.fitness import is_balanced
from lsp.edit.next.history import EditHistory, PastEdit, difference, reverted
from lsp.edit.next.likelihood import LIKELIHOOD
from lsp.edit.next.suggestions import next_edits

LINES = st.sampled_from(
    [
        "def total(count, price):\n",
        "    return count * price\n",
        "    x = total(count, price=1)\n",
        "count = {'count': [1, 2]}\n",
        "# count them\n",
        "total(count)\n",
        "\n",
        "é = '😋'\n",
    ]
)
TEXTS = st.lists(LINES, max_size=10).map("".join)
PIECES = st.sampled_from(["", "amount", "count", "(", ", 1", "'", "\n", " ", "😋", "total(count, 2)"])
LANGUAGES = st.sampled_from(["python", "markdown"])


@st.composite
def changed_texts(draw: st.DrawFn) -> list[str]:
    """A text, and what it becomes by one change after the other."""
    texts = [draw(TEXTS)]
    for _ in range(draw(st.integers(1, 5))):
        text = texts[-1]
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 6)))
        texts.append(text[:start] + draw(PIECES) + text[end:])
    return texts


def history_of(texts: list[str]) -> EditHistory:
    history = EditHistory()
    for before, now in pairwise(texts):
        history = history.after(before, now)
    return history


@given(TEXTS, TEXTS)
@example("aaa", "aa")
@example("", "")
def test_the_one_place_where_texts_differ_leads_from_one_to_the_other(before: str, now: str):
    start, end, length = difference(before, now)
    assert before[:start] + now[start : start + length] + before[end:] == now


@given(changed_texts())
def test_a_history_leads_back_to_where_it_began(texts: list[str]):
    assert reverted(texts[-1], history_of(texts).edits) == texts[0]


@given(changed_texts())
def test_edits_of_a_history_are_apart_from_each_other(texts: list[str]):
    edits = sorted(history_of(texts).edits, key=lambda edit: edit.start)
    assert all(0 <= edit.start <= edit.end <= len(texts[-1]) for edit in edits)
    assert all(before.end <= after.start for before, after in pairwise(edits))


@given(TEXTS, TEXTS)
def test_an_edit_that_is_undone_is_forgotten(before: str, now: str):
    assert EditHistory().after(before, now).after(now, before) == EditHistory()


@given(changed_texts(), LANGUAGES)
@example(["count\ncount\ncount\n", "amount\ncount\ncount\n"], "python")
def test_a_next_edit_changes_something_elsewhere_and_is_whole(texts: list[str], language: str):
    text, history = texts[-1], history_of(texts)
    found = next_edits(text, language, history)
    for edit in found:
        old = text[edit.start : edit.end]
        assert is_balanced(old, edit.text)
        assert not any(edit.start <= past.end and past.start <= edit.end for past in history.edits)
        assert 0.0 < edit.probability < 1.0
    ordered = sorted(found, key=lambda edit: edit.start)
    assert all(before.end < after.start for before, after in pairwise(ordered))
    assert [edit.probability for edit in found] == sorted((edit.probability for edit in found), reverse=True)


def test_what_is_typed_on_one_line_is_one_edit():
    texts = ["count = 1\n", "coun = 1\n", "cou = 1\n", "coum = 1\n", "coum = 12\n"]
    assert history_of(texts).edits == (PastEdit(3, 9, "nt = 1"),)


def test_the_more_often_it_was_done_the_likelier_it_is_done_again():
    text = "a.warn(1)\nb.warn(2)\nc.warn(3)\nd.warn(4)\n"
    once = text.replace("a.warn", "a.warning")
    twice = once.replace("b.warn", "b.warning")
    history = EditHistory().after(text, once)
    (first, *_) = next_edits(once, "python", history)
    (second, *_) = next_edits(twice, "python", history.after(once, twice))
    assert first.probability < second.probability


def test_half_an_edit_is_none():
    assert is_balanced("(a)", "[a]")
    assert not is_balanced("a", "(a")
    assert not is_balanced("'", '"')
    assert not is_balanced("a", "a")


def test_a_field_is_renamed_where_calls_of_its_class_give_it():
    text = "class P:\n    x: int\n    y: int\n\n    def f(self):\n        return self.x\n\n\nP(x=1, y=2)\nQ(x=1)\n"
    now = text.replace("    x: int", "    left: int")
    offered = [edit.start for edit in next_edits(now, "python", EditHistory().after(text, now)) if edit.text == "left"]
    assert sorted(offered)[:2] == [now.index("x\n\n\n"), now.index("x=1, y")]
    own = text.replace("    def f(self)", "    def __init__(self, x)")
    changed = own.replace("    x: int", "    left: int")
    certain = [
        edit for edit in next_edits(changed, "python", EditHistory().after(own, changed)) if edit.source == "rename"
    ]
    assert changed.index("x=1, y") not in {edit.start for edit in certain if edit.probability > 0.95}


FOLLOWED = {
    "a definition behind its prototype": ("c", "int ‸f(int);\nint g() { return ‸f(1); }\nint ‹f›(int b) {}\n"),
    "a field of a known type": ("c", "struct S { int ‹n›; };\nint g(struct S *s, T *t) { return s->‸n + t->n; }\n"),
    "a macro": ("c", "#define ‹N› 3\nint a[‸N];\nint f(void) { return ‸N; }\n"),
    "a captured name": ("cpp", "int f(int ‹n›) { return [‸n](int k) { return ‸n + k; }(1); }\n"),
    "a field of a class": ("cpp", "class A { int ‹n›; int f(int n) { return this->‸n + n; } };\n"),
    "a method defined outside": ("cpp", "class A { int ‹f›(); };\nint A::‸f() {}\nint g(B b) { return b.f(); }\n"),
    "a name of a macro's text": ("cpp", "#define SUM (n + 1)\nint f(int ‹n›) { return n + SUM; }\n"),
    "overloads": ("cpp", "int ‹f›(int a);\nint f(char *a);\nint g() { return f(1); }\n"),
}  # fmt: skip


@pytest.mark.parametrize("case", FOLLOWED)
def test_of_a_renamed_declaration_of_c_what_is_sure_is_offered_at_once(case: str):
    language, marked = FOLLOWED[case]
    name = re.search("‹(.*)›", marked)
    assert name is not None
    before = marked.replace("‸", "").replace("‹", "").replace("›", "")
    now = marked.replace("‸", "").replace(name.group(), "other")
    edits = next_edits(now, language, EditHistory().after(before, now))
    sure = [each for each in edits if each.probability >= LIKELIHOOD.threshold]
    for edit in sorted(sure, key=lambda each: each.start, reverse=True):
        now = now[: edit.start] + edit.text + now[edit.end :]
    assert now == re.sub("‸" + name[1], "other", marked).replace(name.group(), "other")
