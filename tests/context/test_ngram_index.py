"""The index says what a reader of all its texts would say."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.context import ngram_index
from coder.context.ngram_index import DEEPEST, IndexSegment, Match, NgramIndex, sorted_by_context
from coder.context.words import (
    BORDER,
    WordVocabulary,
    essence,
    may_grow,
    relative_words,
    split_words,
    without_border_words,
    written_out,
)

code = st.text(alphabet="aab_ .(\n", max_size=40).map(lambda text: re.sub(r"[ ]*\n[ ]*", "\n", text.lstrip(" ")))
"""Lines that are not indented: the definition below would have to count blanks, which has tests of its own."""

folders = st.dictionaries(st.sampled_from(["a.py", "b.py", "c.py", "d.py"]), code, max_size=4)

WIDTH = 3


def read_through(texts: dict[str, str], before: str, width: int) -> list[Match]:
    """The definition of `NgramIndex.matches`, place by place, for texts without indentation."""
    query = split_words(before)
    if not query:
        return []
    last = query[-1]
    unfinished = (last.lstrip(" ") or last) if may_grow(last) and "\n" not in last else ""
    by_depth: dict[int, Counter[str]] = {depth: Counter() for depth in range(1, DEEPEST + 1)}
    for text in texts.values():
        words = split_words(text)
        for place, word in enumerate(words):
            found: list[tuple[int, str]] = []
            if exact := shared_end(query, words[:place]):
                found.append((exact, behind(last, words[place - 1], "".join(words[place : place + width]))))
            beginning = word if unfinished.isspace() else essence(word)
            if unfinished and beginning.startswith(unfinished) and beginning != unfinished:
                depth = shared_end(query[:-1], words[:place])
                rest = beginning[len(unfinished) :] + "".join(words[place + 1 : place + width])
                found += [(depth + 1, rest)] if depth else []
            for deepest, continuation in found:
                for depth in range(1, min(deepest, DEEPEST) + 1):
                    by_depth[depth][continuation] += 1
    matches: list[Match] = []
    for depth in sorted(by_depth, reverse=True):
        del by_depth[depth][""]
        if by_depth[depth].total() > (matches[-1].count if matches else 0):
            matches.append(Match(depth, by_depth[depth]))
    return matches


def behind(last: str, place: str, continuation: str) -> str:
    """After fewer line breaks than stand at the place, the others are still to come."""
    missing = place.count("\n") - last.count("\n") if "\n" in last else 0
    return "\n" * missing + continuation


def shared_end(first: list[str], second: list[str]) -> int:
    length = 0
    while length < min(len(first), len(second), DEEPEST) and essence(first[-1 - length]) == essence(
        second[-1 - length]
    ):
        length += 1
    return length


def answers(index: NgramIndex, before: str) -> list[Match]:
    return list(index.matches(before, WIDTH))


@given(st.text(max_size=60))
def test_words_joined_are_the_text(text: str):
    assert "".join(split_words(text)) == text


@given(st.sampled_from(["", "on", "one"]), st.sampled_from(["", "t", "two"]))
def test_words_that_may_be_cut_are_left_out(first: str, last: str):
    assert without_border_words(f"{first} a(b) {last}") == " a(b) "
    assert without_border_words(first) == ""


@given(st.text(alphabet="ab \t\n", max_size=60))
def test_relative_words_written_out_are_the_text_but_for_blanks_at_line_ends(text: str):
    expected = re.sub(r"[ \t]+\n", "\n", text)
    first_line_blanks = text[: len(text) - len(text.lstrip(" \t"))]
    assert written_out(relative_words(text), first_line_blanks) == expected


@given(folders, code)
def test_the_index_agrees_with_reading_all_texts(texts: dict[str, str], before: str):
    assert answers(NgramIndex().with_files(texts), before) == read_through(texts, before, WIDTH)


@given(st.lists(st.tuples(folders, st.sets(st.sampled_from(["a.py", "b.py", "c.py"]))), max_size=5), code)
def test_changing_files_one_after_the_other_is_like_building_anew(changes, before: str):
    index, texts = NgramIndex(), {}
    for added, removed in changes:
        index, texts = index.with_files(added).without(removed), {**texts, **added}
        texts = {name: text for name, text in texts.items() if name not in removed}
    assert answers(index, before) == answers(NgramIndex().with_files(texts), before)
    assert {name for name, text in texts.items() if text} <= set(index.names) <= set(texts)
    assert index.word_count == sum(len(split_words(text)) for text in texts.values())


@given(folders, folders, code)
def test_what_is_put_beside_an_index_or_hidden_leaves_it_as_it_was(texts, others, before: str):
    index = NgramIndex().with_files(texts)
    expected = answers(index, before)
    shown = index.hiding(others).beside(others)
    visible = {name: text for name, text in texts.items() if name not in others} | others
    assert answers(shown, before) == read_through(visible, before, WIDTH)
    assert answers(index, before) == expected


@given(st.lists(st.integers(1, 3), max_size=50))
def test_places_are_sorted_by_the_words_before_them(numbers: list[int]):
    words = np.array([BORDER] * DEEPEST + numbers, np.int32)
    contexts = [words[place - DEEPEST : place][::-1].tolist() for place in sorted_by_context(words).tolist()]
    assert contexts == sorted(contexts) and len(contexts) == len(numbers)


def test_an_unfinished_word_is_finished():
    index = NgramIndex().with_files({"a.py": "x = first_name\n", "b.py": "y = first\n"})
    continuations = next(index.matches("z = fir")).continuations
    assert dict(continuations) == {"st_name\n": 1, "st\n": 1}


@given(folders, folders, st.sampled_from(["a", "aa", "b", "ab", "c"]))
def test_the_endings_of_a_beginning_are_those_of_all_words(
    texts: dict[str, str], others: dict[str, str], beginning: str
):
    index = NgramIndex().with_files(texts | others).without(others).beside({"beside": "ab aab"})
    kept = [text for name, text in (texts | {"beside": "ab aab"}).items() if name not in others]
    words = Counter(essence(word) for text in kept for word in split_words(text))
    expected = {word[len(beginning) :]: count for word, count in words.items() if word.startswith(beginning)}
    assert index.endings(beginning) == expected


def test_a_blank_before_a_word_does_not_make_it_another_context():
    index = NgramIndex().with_files({"a.py": "x = f(one)\n"})
    assert dict(next(index.matches("f(", 2)).continuations) == {"one)": 1}


def test_the_indentation_that_follows_is_the_places_own_change_of_it():
    index = NgramIndex().with_files({"a.py": "if ready:\n    start()\nstop()\n"})
    (opened,) = next(index.matches("        if ready:", 2)).continuations
    (closed,) = next(index.matches("    if ready:\n        start()", 2)).continuations
    assert (opened, closed) == ("\n            start", "\n    stop")


def test_a_line_that_is_indented_already_is_continued_where_it_is():
    index = NgramIndex().with_files({"a.py": "if ready:\n    start()\n"})
    (as_expected,) = next(index.matches("if ready:\n    ", 1)).continuations
    (half,) = next(index.matches("if ready:\n  ", 1)).continuations
    (otherwise,) = next(index.matches("if ready:\n\t", 1)).continuations
    assert (as_expected, half, otherwise) == ("start", "  start", "start")


def test_a_context_does_not_reach_from_one_file_into_another():
    index = NgramIndex().with_files({"a.py": "one two", "b.py": "three four"})
    assert list(index.matches("one two")) == []
    assert [match.depth for match in index.matches("two\nthree")] == [1]


def test_the_longest_context_comes_first():
    index = NgramIndex().with_files({"a.py": "a.b(c)\n", "b.py": "x.b(d)\n"})
    deep, shallow = index.matches("a.b(", 1)
    assert (deep.depth, dict(deep.continuations)) == (4, {"c": 1})
    assert (shallow.depth, dict(shallow.continuations)) == (3, {"c": 1, "d": 1})


def test_many_small_changes_leave_few_segments():
    index = NgramIndex()
    for number in range(200):
        index = index.with_files({f"{number}.py": f"def f{number}():\n    return {number}\n"})
    assert len(index.segments) <= 9
    index = index.without({f"{number}.py" for number in range(199)})
    assert sum(len(segment.order) for segment in index.segments) <= 2 * index.word_count


def test_a_joined_segment_is_not_larger_than_allowed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ngram_index, "LARGEST_SEGMENT", 100)
    index = NgramIndex()
    for number in range(40):
        index = index.with_files({f"{number}.py": "a b c d e f g h i j"})
    assert all(segment.live_words <= 100 for segment in index.segments)
    assert index.word_count == 400 and len(index.segments) <= 8


def test_the_bytes_of_an_index_are_those_of_its_arrays_and_words():
    index = NgramIndex().with_files({"a.py": "word " * 10_000})
    assert 120_000 <= index.nbytes <= 125_000


def test_no_continuation_is_longer_than_asked_for():
    index = NgramIndex().with_files({"a.py": "def f(a, b, c, d, e):\n"})
    for width in (1, 4, 8):
        (text,) = next(index.matches("def f(", width)).continuations
        assert len(split_words(text)) == width


def test_a_frequent_context_is_represented_by_some_of_its_places():
    index = NgramIndex().with_files({"a.py": "x y\n" * 5000 + "x z\n"})
    match = next(index.matches("\nx", 1))
    assert match.count <= ngram_index.MOST_PLACES
    assert IndexSegment.of({}, WordVocabulary()).ranges([1]) == []
