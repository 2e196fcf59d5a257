"""The way in which a model is asked to write a region anew, as its abilities allow.

A checkpoint that was trained on edits reads the old text and the instruction in its own layout. One that follows
instructions is shown the old lines in a conversation. Any other one writes only where nothing is written yet (see
`coder.editing.unwritten`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from coder.api.completion import CanvasUpdate, CompletionRequest, Constraints, Rewritten, Slot
from coder.api.text_requests import EditRequest, redecoded
from coder.diffusion.policies import AUTO, LOOKUP
from coder.editing.hole_borders import blanks_before, is_inside_line, without_blanks
from coder.editing.instructions import Instructed, dedented, documenting, indented, rewriting
from coder.editing.unwritten import MARK, QUOTES, RewrittenPart, comment, starts_line, unwritten_part
from coder.model.checkpoint.config import Abilities
from coder.syntax.languages import Language

COPYING = f"{LOOKUP.name}:8"
"""Most lines of a rewrite are as they were: the answer is the same in a third of the passes and less."""

ONE_LINE = Constraints(max_lines=1)
"""Of an answer inside a line: nothing of a further one is kept."""

FIRST_LINE = Constraints(max_lines=2)
"""Of a docstring, which may begin behind a line break."""

CHARACTERS_OF_A_TOKEN = 2
"""At the least; of code they are three and more."""


@dataclass(frozen=True)
class AskedRewrite:
    """A region that is written anew, and what the model is asked for it.

    Attributes:
        blanks: stand before the hole, and are not shown to the model. indentation: what its lines lack in the text.
    """

    part: RewrittenPart
    request: CompletionRequest
    blanks: str = ""
    indentation: str = ""

    def answer(self, text: str) -> str:
        """Return what the model wrote as it stands in the text."""
        if self.blanks:
            return without_blanks(text, self.blanks)
        return indented(text, self.indentation)

    def update(self, update: CanvasUpdate) -> CanvasUpdate:
        """Return the canvas with what stands around the answer."""
        closing = (Slot(self.part.closing),) if self.part.closing else ()
        settled = self.part.opening + indented(update.settled.removeprefix(self.blanks), self.indentation)
        return replace(update, settled=settled, slots=(*update.slots, *closing))


def asked_rewrite(abilities: Abilities, request: EditRequest, language: Language | None) -> AskedRewrite | None:
    """Return how to ask for a rewrite; None where the model would lose old lines without having seen them."""
    if abilities.edits:
        return _trained_on_edits(request, language)
    unwritten = unwritten_part(request.text, request.start, request.end, request.instruction, language)
    is_hole = request.text[request.start : request.end].strip() in ("", MARK)
    if not abilities.instructions or is_hole:
        return unwritten and _hole(request, unwritten)
    if unwritten is not None and unwritten.opening.startswith(QUOTES):
        return _docstring(request, unwritten, language)
    return _whole_lines(request, language)


def _trained_on_edits(request: EditRequest, language: Language | None) -> AskedRewrite:
    text, part = request.text, RewrittenPart(request.start, request.end)
    marker = (language and language.comment) or "#"
    rewritten = Rewritten(text[part.start : part.end], comment(request.instruction, marker, ""))
    asked = _longer(_completion(request, text[: part.start], text[part.end :]), part.end - part.start)
    return AskedRewrite(part, replace(asked, rewritten=rewritten))


def _hole(request: EditRequest, part: RewrittenPart) -> AskedRewrite:
    text = request.text
    prefix = part.prefix(text) + part.opening
    inside_line = not part.opening and not starts_line(text, part.start)
    blanks = blanks_before(prefix) if inside_line else ""
    suffix = part.closing + text[part.end :]
    asked = _completion(request, prefix.removesuffix(blanks), suffix)
    if part.closing.startswith(QUOTES):
        asked = replace(asked, constraints=FIRST_LINE)
    elif is_inside_line(suffix):
        asked = replace(asked, constraints=ONE_LINE)
    return AskedRewrite(part, asked, blanks)


def _whole_lines(request: EditRequest, language: Language | None) -> AskedRewrite:
    """The lines that the region touches, without the blank ones around them."""
    text = request.text
    first = request.start + len(text[request.start :]) - len(text[request.start :].lstrip())
    last = request.start + len(text[request.start : request.end].rstrip())
    start = text.rfind("\n", 0, first) + 1
    end = text.find("\n", last)
    part = RewrittenPart(start, len(text) if end < 0 else end)
    code, indentation = dedented(text[part.start : part.end].replace("\r\n", "\n").rstrip())
    asked = rewriting(code, request.instruction, language.name if language else "")
    conversation = _longer(_conversation(request, asked), len(code))
    if conversation.decoding.policy == AUTO.name and not conversation.decoding.temperature:
        conversation = redecoded(conversation, policy=COPYING)
    return AskedRewrite(part, conversation, indentation=indentation)


def _docstring(request: EditRequest, part: RewrittenPart, language: Language | None) -> AskedRewrite:
    """The docstring of the function that the region is, which has none yet."""
    text = request.text
    code, indentation = dedented(text[request.start : request.end])
    head = text[request.start : part.start].removeprefix(indentation).replace(f"\n{indentation}", "\n")
    begun = head + part.opening
    asked = documenting(code.strip("\n"), begun.lstrip("\n"), request.instruction, language.name if language else "")
    return AskedRewrite(part, replace(_conversation(request, asked), constraints=FIRST_LINE))


def _conversation(request: EditRequest, asked: Instructed) -> CompletionRequest:
    return replace(_completion(request, asked.begun, ""), conversation=asked.conversation)


def _longer(request: CompletionRequest, old: int) -> CompletionRequest:
    """The request whose answer may have as many more tokens as so many old characters can be."""
    return redecoded(request, max_tokens=request.decoding.max_tokens + old // CHARACTERS_OF_A_TOKEN)


def _completion(request: EditRequest, prefix: str, suffix: str) -> CompletionRequest:
    return CompletionRequest(prefix, suffix, replace_brackets=False, where=request.where, decoding=request.decoding)
