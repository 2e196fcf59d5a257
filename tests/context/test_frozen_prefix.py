"""The frozen prefix: what typing, deleting, jumping, undoing and accepting leave of it."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from coder.context.window import Budget, FrozenPrefix, FrozenPrefixes, estimate_tokens, freeze, split_of

BUDGET = Budget(frozen=96)
"""Small, so that short sessions leave it: 72 tokens of a new frozen part, 30 written ones."""

words = st.text(st.sampled_from("abc (:)=.é漢"), min_size=1, max_size=12)
lines = st.lists(st.text(st.sampled_from("abc (:)=. "), max_size=40), max_size=60).map("\n".join)


def written(prefix: str, frozen: FrozenPrefix) -> int:
    return estimate_tokens(prefix[frozen.split :])


class TypingSession(RuleBasedStateMachine):
    """A user in one document. After each change the frozen part is asked for, as the language server does."""

    def __init__(self) -> None:
        super().__init__()
        self.prefixes = FrozenPrefixes(budget=BUDGET)
        self.text, self.cursor = "", 0
        self.undone: list[tuple[str, int]] = []
        self.frozen, self.asked_for = FrozenPrefix(0, 0), ""

    @property
    def prefix(self) -> str:
        return self.text[: self.cursor]

    @property
    def shown(self) -> str:
        return self.asked_for[self.frozen.start : self.frozen.split]

    @initialize(text=lines, share=st.floats(0, 1))
    def open(self, text: str, share: float) -> None:
        self.text, self.cursor = text, round(share * len(text))
        self.asked_for, self.frozen = self.prefix, self.prefixes.at("a.py", self.prefix)

    def ask(self) -> None:
        """It stays where the cursor is behind it, and near, and the text before it is what it was."""
        before, shown = self.frozen, self.shown
        same_above = self.prefix.startswith(self.asked_for[: before.split])
        self.asked_for, self.frozen = self.prefix, self.prefixes.at("a.py", self.prefix)
        if same_above and written(self.prefix, before) <= BUDGET.written:
            assert self.shown == shown

    def change(self, start: int, end: int, text: str) -> None:
        self.undone.append((self.text, self.cursor))
        self.text, self.cursor = self.text[:start] + text + self.text[end:], start + len(text)
        self.ask()

    @rule(text=words)
    def type(self, text: str) -> None:
        self.change(self.cursor, self.cursor, text)

    @rule()
    def new_line(self) -> None:
        self.change(self.cursor, self.cursor, "\n    ")

    @rule(text=lines)
    def accept(self, text: str) -> None:
        ahead = self.prefixes.ahead("a.py", self.prefix + text)
        self.change(self.cursor, self.cursor, text)
        assert self.frozen == ahead, "what was computed ahead of an acceptance is what it needs"

    @precondition(lambda self: self.cursor > 0)
    @rule(count=st.integers(1, 200))
    def delete(self, count: int) -> None:
        self.change(max(0, self.cursor - count), self.cursor, "")

    @rule(share=st.floats(0, 1))
    def jump(self, share: float) -> None:
        self.cursor = round(share * len(self.text))
        self.ask()

    @rule(share=st.floats(0, 1), text=words)
    def edit_elsewhere(self, share: float, text: str) -> None:
        """By a formatter or another editor: the cursor stays where it is in the text."""
        place = round(share * len(self.text))
        behind = len(self.text) - self.cursor
        self.text = self.text[:place] + text + self.text[place:]
        self.cursor = len(self.text) - behind if place < self.cursor else self.cursor
        self.ask()

    @precondition(lambda self: self.undone)
    @rule()
    def undo(self) -> None:
        self.text, self.cursor = self.undone.pop()
        self.ask()

    @invariant()
    def lies_before_the_cursor_within_its_budget(self) -> None:
        assert 0 <= self.frozen.start <= self.frozen.split <= self.cursor
        assert estimate_tokens(self.shown) <= BUDGET.frozen
        assert written(self.prefix, self.frozen) <= BUDGET.written

    @invariant()
    def a_new_split_begins_a_line_where_one_is_near(self) -> None:
        split = split_of(self.prefix, estimate_tokens, BUDGET.written // 2)
        line = self.prefix.rpartition("\n")[2]
        assert split == 0 or self.prefix[split - 1] == "\n" or estimate_tokens(line) > BUDGET.written // 2

    @invariant()
    def asked_again_it_is_the_same(self) -> None:
        assert self.prefixes.at("a.py", self.prefix) == self.frozen


TestTypingSession = TypingSession.TestCase


def code(lines: int) -> str:
    return "".join(f"    value_{number} = compute(value_{number - 1}, {number})\n" for number in range(1, lines + 1))


def typed(text: str, behind: str) -> list[str]:
    """The prefixes of a user who types a text behind another one."""
    return [behind + text[:end] for end in range(1, len(text) + 1)]


def shown(prefix: str, frozen: FrozenPrefix) -> str:
    return prefix[frozen.start : frozen.split]


def moves(texts: list[str]) -> int:
    """How often something else is shown than the time before."""
    return sum(one != other for one, other in itertools.pairwise(texts))


def test_while_forty_lines_are_typed_the_split_moves_a_few_times_and_the_window_once_or_twice():
    prefixes = FrozenPrefixes()
    frozen = [(prefix, prefixes.at("a.py", prefix)) for prefix in typed(code(40), behind=code(60))]
    assert moves([shown(*one) for one in frozen]) <= 6
    assert moves([prefix[one.start : one.start + 40] for prefix, one in frozen]) <= 2


def test_without_a_memory_the_split_moves_every_eighth_line():
    frozen = [(prefix, freeze(prefix)) for prefix in typed(code(40), behind=code(60))]
    assert moves([shown(*one) for one in frozen]) == 5


def test_an_import_added_far_above_changes_nothing_of_what_is_shown():
    prefixes, prefix = FrozenPrefixes(), code(200)
    before = shown(prefix, prefixes.at("a.py", prefix))
    longer = "import os\n" + prefix
    assert shown(longer, prefixes.at("a.py", longer)) == before


def test_an_import_added_above_all_that_is_shown_of_a_short_file_is_shown():
    prefixes = FrozenPrefixes()
    prefixes.at("a.py", code(8))
    longer = "import os\n" + code(8)
    assert shown(longer, prefixes.at("a.py", longer)).startswith("import os\n")


def test_whoever_comes_back_to_a_place_finds_it_as_it_was():
    prefixes, text = FrozenPrefixes(), code(200)
    here, there = text, text[: len(text) // 2]
    before = prefixes.at("a.py", here)
    prefixes.at("a.py", there)
    assert prefixes.at("a.py", here + "x") == before


def test_documents_know_nothing_of_each_other():
    prefixes = FrozenPrefixes()
    alone = FrozenPrefixes().at("b.py", code(5))
    prefixes.at("a.py", code(4))
    assert prefixes.at("b.py", code(5)) == alone


def test_what_may_come_is_not_remembered():
    prefixes, prefix = FrozenPrefixes(), code(100)
    before = prefixes.at("a.py", prefix)
    assert prefixes.ahead("a.py", prefix + code(100)) != before
    assert prefixes.at("a.py", prefix + "x") == before


@given(lines, st.sampled_from([estimate_tokens, len, lambda text: len(text.encode())]), st.integers(0, 40))
def test_behind_a_split_stand_no_more_tokens_than_may(prefix, count_tokens, tokens):
    assert count_tokens(prefix[split_of(prefix, count_tokens, tokens) :]) <= tokens


def test_a_long_line_is_split_at_multiples_of_characters():
    line = "x" * 10_000
    splits = {freeze(line[:end]).split for end in range(9_000, 10_000)}
    assert 2 <= len(splits) <= 8, splits
