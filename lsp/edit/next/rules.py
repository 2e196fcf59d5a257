"""The places where a pattern may be repeated. Each rule is a generator of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from lsp.edit.next.declarations import ARGUMENTS, called_with, callee
from lsp.edit.next.pattern import Pattern, Repetition, Rule

MOST_PLACES = 200
"""Of one pattern. A word that is everywhere says nothing."""

OPENING, CLOSING = frozenset("([{"), frozenset(")]}")

MOST_TOGETHER = 8
"""Changes of one line that are repeated together."""


def same_words(pattern: Pattern) -> Iterator[Repetition]:
    """The same words stand there as stood in the edited place."""
    if not pattern.atom.old:
        return
    found = pattern.words.find(pattern.atom.old)
    if len(found) <= MOST_PLACES:
        for index in found:
            yield from _replacement(pattern, "same", index, index + len(pattern.atom.old))


def between_words(pattern: Pattern) -> Iterator[Repetition]:
    """Nothing stands there, between the same words as around the edited place."""
    words, atom = pattern.words, pattern.atom
    if atom.old or not pattern.first > 0 or not pattern.behind < len(words.words):
        return
    around = words.words[pattern.first - 1], words.words[pattern.behind]
    found = words.find(around)
    if len(found) <= MOST_PLACES:
        for index in found:
            yield from _replacement(pattern, "between", index + 1, index + 1)


def joint_words(patterns: Sequence[Pattern]) -> Iterator[Repetition]:
    """Everything that was changed on one line, found again on another one in the same order: quotes on both sides, what
    wraps an expression. Yields the whole as one place."""
    first, words = patterns[0], patterns[0].words
    if not 1 < len(patterns) <= MOST_TOGETHER or not all(pattern.atom.old for pattern in patterns):
        return
    if "\n" in words.text[first.atom.start : patterns[-1].atom.end]:
        return
    found = words.find(first.atom.old)
    for index in found if len(found) <= MOST_PLACES else ():
        parts = list(_following(patterns, index))
        if len(parts) == len(patterns):
            start, end = parts[0].start, parts[-1].end
            text = parts[0].text
            for before, part in pairwise(parts):
                text += words.text[before.end : part.start] + part.text
            yield Repetition(first, "joint", start, end, text, index, parts[0].behind)


def _following(patterns: Sequence[Pattern], index: int) -> Iterator[Repetition]:
    """A place for each pattern, as near behind the one before as there is one on the line, not inside of brackets."""
    words = patterns[0].words
    line_end = words.text.find("\n", words.starts[index])
    last = words.index_at(line_end) if line_end >= 0 else len(words.words)
    for pattern in patterns:
        old, depth = pattern.atom.old, 0
        while index < last and depth >= 0 and (depth or tuple(words.words[index : index + len(old)]) != old):
            depth += (words.words[index] in OPENING) - (words.words[index] in CLOSING)
            index += 1
        found = index < last and not depth
        place = next(_replacement(pattern, "joint", index, index + len(old)), None) if found else None
        if place is None:
            return
        yield place
        index += len(old)


def arguments_of_calls(pattern: Pattern) -> Iterator[Repetition]:
    """An argument was added at the end of a call: other calls of the same function that do not have it."""
    words, atom = pattern.words, pattern.atom
    name = callee(words, pattern.first) if not atom.old and atom.new else None
    if name is None or words.tree is None or words.words[pattern.behind : pattern.behind + 1] != [")"]:
        return
    argument = atom.new_text.strip().strip(",").strip()
    for node in words.tree.nodes():
        if node.type not in ARGUMENTS or called_with(words, node) != name:
            continue
        start, end = words.tree.span(node)
        inside = words.text[start + 1 : end - 1]
        key = argument.partition("=")[0] if "=" in argument else argument
        if inside != inside.rstrip().rstrip(",") or inside.lstrip() != inside or key in inside:
            continue
        text = f", {argument}" if inside else argument
        last = words.index_at(end - 1)
        yield Repetition(pattern, "argument", end - 1, end - 1, text, last, last)


def keywords_of_calls(pattern: Pattern) -> Iterator[Repetition]:
    """A parameter was renamed: the calls that name it."""
    declaration, words = pattern.declaration, pattern.words
    if declaration is None or not declaration.function:
        return
    for index in words.find(pattern.atom.old):
        kind = words.kind(index)
        name = callee(words, index)
        is_keyword = kind is not None and kind.parent == "keyword_argument"
        if is_keyword and name is not None and name.rpartition(".")[2] == declaration.function:
            yield from _replacement(pattern, "signature", index, index + 1)


def _replacement(pattern: Pattern, rule: Rule, first: int, behind: int) -> Iterator[Repetition]:
    """The atom repeated in the place of some words, if the blanks around them allow it. Blanks on a side where they did
    not change may be others here."""
    words, atom = pattern.words, pattern.atom
    start = words.ends[first - 1] if first else 0
    end = words.starts[behind] if behind < len(words.words) else len(words.text)
    old, new = atom.old_text, atom.new_text
    if atom.old and atom.new:
        (head, tail), (new_head, new_tail) = _blanks(old), _blanks(new)
        if head == new_head:
            start, old, new = words.starts[first], old[len(head) :], new[len(head) :]
        if tail == new_tail:
            end, old, new = words.ends[behind - 1], old.removesuffix(tail), new.removesuffix(tail)
    if words.text[start:end] == old:
        before, after = _common_blanks(old, new)
        yield Repetition(pattern, rule, start + before, end - after, new[before : len(new) - after], first, behind)


def _common_blanks(old: str, new: str) -> tuple[int, int]:
    """Return the numbers of blanks at the start and at the end that are the same in both."""
    shorter, head, tail = min(len(old), len(new)), 0, 0
    while head < shorter and old[head].isspace() and old[head] == new[head]:
        head += 1
    while head + tail < shorter and old[-1 - tail].isspace() and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return head, tail


def _blanks(text: str) -> tuple[str, str]:
    """Return the white space that a text begins and ends with."""
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
