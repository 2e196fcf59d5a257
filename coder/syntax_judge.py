"""What the syntax of a request's text says about its answers."""

from __future__ import annotations

from coder.completion import CompletionRequest
from coder.context.window import replaced_characters
from coder.syntax.first_error import first_error
from coder.syntax.languages import language_of
from coder.syntax.soundness import is_sound
from coder.syntax_constraint import Judge


def judge_of(request: CompletionRequest, replaced: str) -> Judge:
    """A judge of the whole text with an answer in its hole, where brackets behind it may be `replaced`."""
    known = None if request.path is None else language_of(request.path)
    language = request.language or (known.name if known else "")
    line_start = request.prefix.rfind("\n") + 1

    def joined(answer: str) -> str:
        return request.prefix + answer + request.suffix[replaced_characters(answer, replaced) :]

    def broken_at(answer: str) -> int | None:
        text = joined(answer)
        offset = first_error(text, language)
        if offset is None:
            return None
        if offset < line_start:
            return -1
        # A compiler may complain about what stands before the fault, on the same line.
        line_end = text.find("\n", offset)
        end = (len(text) if line_end < 0 else line_end) - len(request.prefix)
        return end if 0 <= end < len(answer) else None

    inside_line = bool(request.suffix[len(replaced) :].partition("\n")[0].strip())
    return Judge(lambda answer: is_sound(joined(answer), language), broken_at, inside_line)
