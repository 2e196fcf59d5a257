"""The post-processing of the model's text before anyone sees it: small pure filters, one after the other.

Every door's answers go through here (`coder.generation.completing`), unless a request wants the raw text. The filters
in this file end a completion: at the end of its line or its scope, before control tokens and unreadable characters.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from coder.postprocess.brackets_and_quotes import (
    brackets,
    opened_in,
    quotes,
    replaced_brackets,
    replaced_end,
    unclosed,
    up_to_unwanted_bracket,
)
from coder.postprocess.context import PostprocessContext, code_around, surroundings
from coder.postprocess.repeats import (
    before_loop,
    in_word,
    loops,
    may_repeat_above,
    repeats_above,
    repeats_behind,
    repeats_below,
    suffix_overlap,
)
from coder.postprocess.whitespace import (
    from_the_cursor,
    indentation,
    indentation_step,
    line_break_of,
    trailing_whitespace,
    unix_line_breaks,
)
from coder.syntax.languages import CLOSERS, PAIRS, scan
from coder.syntax.soundness import is_sound

SPELLED_OUT = re.compile(
    r"<\|\w{1,30}\|>|</?s>|<(?:fim_(?:prefix|middle|suffix|pad)|reponame|filename|gh_stars|file_sep|issue_\w+|jupyter_\w+)>"
)
UNREADABLE = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f\ufffd]")

CONTINUES = re.compile(
    r"(?:else|elif|elsif|elseif|except|finally|catch|rescue|ensure|case|default|when|then|end|until|fi|done|esac)\b"
)
"""Words at the start of a line that belong to the statement above, at its own indentation."""

NOTHING_BUT_CLOSERS = re.compile(r"[)\]}]+[;,]?")

LINES_THAT_TELL = 3
"""Code that is broken without the answer and with so many of its lines is broken by something else."""

SIGNS_AT_THE_END = re.compile(r"\W{1,8}\Z")

NEEDS_SEMICOLONS = ("c", "cpp", "java")
"""Languages with a grammar in which a statement without one breaks the code: the user may have it to write yet."""


def special_tokens(text: str, context: PostprocessContext) -> str | None:
    """The text up to the first control token that is spelled out, unless the buffer speaks of it too (a file about
    tokenizers does), or up to the first character that no editor should be given."""
    end = len(text)
    for token in SPELLED_OUT.finditer(text):
        if token.group() not in context.prefix and token.group() not in context.suffix:
            end = token.start()
            break
    unreadable = UNREADABLE.search(text, 0, end)
    return text[: unreadable.start() if unreadable else end]


def cut_off(text: str, context: PostprocessContext) -> str | None:
    """Whole lines of a block that was cut off by its length. What a deadline left is whole lines already, and a single
    line stays: half of it may be right."""
    if context.finish_reason != "length":
        return text
    lines, line_break, _ = text.rpartition("\n")
    return lines if line_break and lines.strip() else text


def line(text: str, context: PostprocessContext) -> str | None:
    """The first line of the text, where a line is wanted."""
    return text.partition("\n")[0] if context.mode == "line" else text


def scope(text: str, context: PostprocessContext) -> str | None:
    """The text up to the end of the cursor's scope.

    That is before a line less indented than the cursor's, unless it is a closing bracket that is missing there; and
    before the statement that follows a finished one with a body: where the cursor's line begins it, or a blank line
    separates the two; and before a blank line where the text only went on with a line that was begun. Lines within a
    string, or within brackets that the text opens, end nothing.
    """
    if context.mode == "line":
        return text
    written = text.split("\n")
    lines = context.completed_lines(text)
    inside = _lines_inside(text, context)
    first = next((index for index, line in enumerate(lines) if line.strip()), 0)
    base = _indentation(lines[first])
    goes_on = bool(written[0].strip()) and not context.starts_line
    body = context.line_before.rstrip().endswith(":") and bool(written[0].strip())  # one on the statement's own line
    for index in range(first + 1, len(lines)):
        line = written[index]
        if not line.strip() or index in inside:
            continue
        width, start = _indentation(line), line.lstrip()
        if width < base:
            keep = NOTHING_BUT_CLOSERS.fullmatch(line.strip()) is not None
            return "\n".join(written[: index + keep])
        follows = (first == 0 and not context.starts_line) or not written[index - 1].strip()
        finished = body or (goes_on and not written[index - 1].strip())
        if width == base and finished and follows and start[0] not in CLOSERS and not CONTINUES.match(start):
            return "\n".join(written[:index])
        body = body or width > base
    return text


def sound_lines(text: str, context: PostprocessContext) -> str | None:
    """The longest beginning of whole lines that leaves the code around the cursor sound.

    None where there is no such beginning although the code is sound without, unless the text was cut off; behind half a
    word, which may be sound as a name, the first line (`el` becomes `else:`). All of the text where the code is broken
    anyway.
    """
    if context.mode == "line":
        return text
    before, behind = code_around(context)

    def is_left_sound(part: str) -> bool | None:
        sound = _is_sound(before + part + behind, context.language)
        if sound is False and part and context.language in NEEDS_SEMICOLONS:
            return _is_sound(f"{before}{part};{behind}", context.language)
        return sound

    if is_left_sound(text) is not False:
        return text
    lines = text.split("\n")
    beginnings = ["\n".join(lines[:count]) for count in range(len(lines))]
    if not any(map(is_left_sound, beginnings[: LINES_THAT_TELL + 1])):
        return text
    longest = next(filter(is_left_sound, reversed(beginnings)))
    if longest or context.finish_reason in ("length", "deadline"):
        return longest or text
    return lines[0] if in_word(context.line_before, text) else None


def sound_end(text: str, context: PostprocessContext) -> str | None:
    """A part of a line without signs at its end, such as a semicolon, where the code around it is sound without."""
    if context.mode != "line" or not context.line_behind.strip():
        return text
    before, behind = code_around(context)
    signs = SIGNS_AT_THE_END.search(text)
    ends = range(len(text), signs.start() - 1 if signs else len(text) - 1, -1)
    return next((text[:end] for end in ends if _is_sound(before + text[:end] + behind, context.language)), text)


def last_comma(text: str, context: PostprocessContext) -> str | None:
    """The text without a comma before a closing bracket where that breaks the rules."""
    ends = context.language == "json" and text.rstrip().endswith(",")
    return text.rstrip()[:-1] if ends and context.suffix_left.lstrip()[:1] in CLOSERS else text


@lru_cache(maxsize=64)
def _is_sound(text: str, language: str) -> bool | None:
    """`is_sound`, remembered: while an answer is written its first lines are asked about again and again."""
    return is_sound(text, language)


def blank(text: str, context: PostprocessContext) -> str | None:
    """None for blanks and line breaks alone."""
    return text if text.strip() else None


def _indentation(line: str) -> int:
    """The line's indentation in columns, a tab to the next multiple of four."""
    blank = line[: len(line) - len(line.lstrip())]
    return len(blank.expandtabs(4))


def _lines_inside(text: str, context: PostprocessContext) -> set[int]:
    """The lines that begin in a string, or in brackets that the text opened."""
    found = scan(text, context.language, surroundings(context).inside)
    starts = [match.end() for match in re.finditer("\n", text)]
    lines: set[int] = set()
    for number, start in enumerate(starts, start=1):
        opened = 0
        for index, bracket in found.brackets:
            if index < start:
                opened = max(0, opened - 1) if bracket in CLOSERS else opened + 1
        if opened or any(begin < start < end for begin, end in found.literals):
            lines.add(number)
    return lines


FILTERS = (
    special_tokens,
    loops,
    indentation,
    line,
    quotes,
    suffix_overlap,
    brackets,
    replaced_end,
    scope,
    repeats_below,
    repeats_above,
    repeats_behind,
    last_comma,
    trailing_whitespace,
    blank,
)
"""In their order. Each takes the text and its place, with line feeds alone, and returns the text that is left of it, or
None when nothing is worth showing."""

LAST_WORD = re.compile(r"\w+\Z")
SOON_REPEATED = 2


def postprocess(completion_text: str, context: PostprocessContext) -> str | None:
    """The part of a completion to show at the cursor; None for nothing.

    What one filter leaves may be another's business, so they go round until nothing changes. The result is never
    longer than the model's text but for the indentation, the line breaks, the brackets that it leaves open, and those
    that it stands in for.
    """
    unix = _with_line_feeds(context)
    text = from_the_cursor(unix_line_breaks(completion_text), unix)
    text = text and cut_off(text, unix)
    text = text and _filtered(text, unix)
    if text:
        text = unclosed(text, unix)
        text = text and _filtered(text, unix)  # a statement left out may leave blank lines behind
    text = text and replaced_brackets(text, unix)
    text = text and sound_lines(text, unix)
    text = text and sound_end(text, unix)
    return text.replace("\n", line_break_of(context.prefix + context.suffix)) if text else None


def is_enough(text: str, context: PostprocessContext) -> bool:
    """Return whether a text that is being written has gone past the end of what will be shown of it.

    A word at its end may become another one yet, so it is not looked at.
    """
    if context.mode == "line":
        return "\n" in text
    settled = LAST_WORD.sub("", text)
    if "\n" not in settled:
        return False
    # Without `unclosed`, which leaves out a statement whose brackets are open: here they may be closed yet.
    unix = _with_line_feeds(context)
    begun = from_the_cursor(unix_line_breaks(settled), unix)
    shown = begun and _filtered(begun, replace(unix, finish_reason="end"))
    return bool(begun) and bool(shown) and shown.count("\n") < begun.rstrip().count("\n")


def beginning(text: str, context: PostprocessContext) -> str:
    """The part of a text that is being written which stays, whatever comes behind it: whole lines up to where one of
    the filters could find fault later; of a block that is not finished its first line, if nothing is before it."""
    may_be_narrower = indentation_step(context) == "\t" and "\n " in text
    if context.mode == "line" or context.replaces or context.line_behind.strip() or may_be_narrower:
        return ""  # the rest of the line, or the text's narrowest indentation, decides when all of it is there
    unix = _with_line_feeds(context)
    lines = from_the_cursor(unix_line_breaks(text), unix) or ""
    lines, line_break, _ = lines.rpartition("\n")
    lines = before_loop(lines, SOON_REPEATED)
    lines = up_to_unwanted_bracket(lines, unix)
    if not line_break or may_repeat_above(lines, unix):
        return ""
    found = scan(lines, unix.language, surroundings(unix).inside)
    opened = opened_in(lines, found)
    whole = lines[: opened[0] + 1].rpartition("\n")[0] if opened else lines
    ended = replace(unix, finish_reason="end")
    shown = _filtered(whole, ended) or ""
    shown = (shown and sound_lines(shown, ended)) or block_begun(lines, ended)
    return shown.replace("\n", line_break_of(context.prefix + context.suffix))


def block_begun(text: str, context: PostprocessContext) -> str:
    """The first line of a text, where it begins a block whose end is not written yet; empty where it does not, or is
    wrong whatever the block."""
    lines = text.split("\n")
    first = next((index for index, line in enumerate(lines) if line.strip()), 0)
    line = _filtered("\n".join(lines[: first + 1]), context) or ""
    opened = opened_in(line, scan(line, context.language, surroundings(context).inside))
    if context.language == "python" and not opened and line.endswith(":"):
        block = " pass"
    elif opened and opened[-1] == len(line) - 1:
        block = "".join(PAIRS[line[index]] for index in reversed(opened))
    else:
        return ""
    before, behind = code_around(context)
    broken_anyway = context.starts_line and _is_sound(before + behind, context.language) is False
    sound = _is_sound(before + line + block + behind, context.language) is not False
    return line if sound or broken_anyway else ""


def _with_line_feeds(context: PostprocessContext) -> PostprocessContext:
    return replace(context, prefix=unix_line_breaks(context.prefix), suffix=unix_line_breaks(context.suffix))


def _filtered(text: str, context: PostprocessContext) -> str | None:
    """Return the text that the filters leave, applied until nothing changes."""
    before = ""
    while text != before:
        before = text
        for keep in FILTERS:
            left = keep(text, context)
            if left is None:
                return None
            text = left
    return text
