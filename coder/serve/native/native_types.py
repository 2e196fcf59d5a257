"""The bodies of requests to Quickfill's own API, and the engine's requests that they stand for.

Folders of the server's machine cannot be named: a client sees nothing of it but its model.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from coder.api.completion import (
    UNCONSTRAINED,
    CompletionRequest,
    Constraints,
    Shape,
    Snippet,
    Template,
    Turn,
)
from coder.api.text_requests import (
    ApplyRequest,
    Diagnostic,
    EditRequest,
    FillRequest,
    RepairRequest,
)
from coder.api.wire import nested
from coder.context.window import FrozenPrefix
from coder.errors import InputError
from coder.serve.http.wire import Incoming, PolicyName
from coder.serve.settings import ServeSettings

Place = Annotated[int, Field(ge=0)]
Name = Annotated[str, Field(max_length=64)]


class PlacedBody(Incoming):
    """The fields of every request about its text.

    Attributes:
        path: where the text lives; nothing is read from there.
        language: where the path does not tell it.
    """

    path: str | None = None
    language: Name | None = None


class DecodedBody(PlacedBody):
    """Decoding of an answer.

    Attributes:
        policy: as on the command line: `auto`, `threshold:0.9`, ...
        deadline_ms: answer with what there is after so long.
    """

    policy: PolicyName = "auto"
    deadline_ms: float | None = Field(default=None, gt=0)


class WritingBody(DecodedBody):
    """Generation of text.

    Attributes:
        canvas_size: slots of a canvas.
        max_tokens: the most; for each hole where there are several.
        constraints: bounds that each answer keeps.
        stream: the canvas after each pass, then the answer, as server-sent events.
    """

    canvas_size: int | None = Field(default=None, ge=1, le=64)
    max_tokens: int | None = Field(default=None, ge=1)
    temperature: float = Field(default=0.0, ge=0, le=2)
    top_p: float = Field(default=1.0, gt=0, le=1)
    seed: int | None = Field(default=None, ge=0, lt=2**62)
    constraints: Constraints = UNCONSTRAINED
    stream: bool = False


class CompleteBody(WritingBody):
    """
    Attributes:
        prefix, suffix: the text before and behind the hole.
        samples: how many different completions are wanted.
        length: the number of tokens, where that is known.
        snippets: text of other files, the least important first.
        replace_brackets: whether the answer may stand in for closing brackets behind the hole; see `replaces`.
        template: texts that the answer keeps, with a free part between each two of them.
        shape: how the answer fits its place: a `line`, a `block`, what suits the hole (`auto`), or not at all (`raw`).
        syntax_rounds, remasking: other answers are tried where one breaks the text.
        frozen: where the prefix began to be written, if the client remembers that: typing behind it costs the least.
        conversation: what was said before; the answer is the next turn, which begins with the prefix.
    """

    prefix: str
    suffix: str = ""
    samples: int = Field(default=1, ge=1)
    length: int | None = Field(default=None, ge=0)
    snippets: Annotated[tuple[Snippet, ...], Field(max_length=256)] = ()
    replace_brackets: bool = True
    template: Annotated[tuple[str, ...], Field(min_length=2, max_length=64)] | None = None
    syntax_rounds: int = Field(default=0, ge=0, le=16)
    remasking: Name | None = None
    shape: Shape = "auto"
    frozen: FrozenPrefix | None = None
    conversation: Annotated[tuple[Turn, ...], Field(max_length=1024)] = ()

    def request(self, settings: ServeSettings) -> CompletionRequest:
        """Raises InputError for more samples than the server allows."""
        if self.samples > settings.most_answers:
            raise InputError(f"samples may be {settings.most_answers} at most here, not {self.samples}")
        template = None if self.template is None else Template(self.template)
        return nested(CompletionRequest, _written(self, settings) | {"template": template})


class FillBody(WritingBody):
    """
    Attributes:
        texts: what stands before, between and behind the holes: one more than there are holes.
    """

    texts: Annotated[tuple[str, ...], Field(min_length=2, max_length=65)]

    def request(self, settings: ServeSettings) -> FillRequest:
        return nested(FillRequest, _written(self, settings))


class EditBody(DecodedBody):
    """
    Attributes:
        start, end: the characters of the text to be rewritten.
        instruction: what to do with them.
    """

    text: str
    start: Place
    end: Place
    instruction: str = ""
    max_tokens: int | None = Field(default=None, ge=1)

    def request(self, settings: ServeSettings) -> EditRequest:
        return nested(EditRequest, _written(self, settings))


class RepairBody(DecodedBody):
    """
    Attributes:
        start, end: the characters among which anything may change; by default all.
        diagnostics: what is known to be wrong.
    """

    text: str
    start: Place = 0
    end: Place | None = None
    diagnostics: Annotated[tuple[Diagnostic, ...], Field(max_length=256)] = ()

    def request(self) -> RepairRequest:
        return nested(RepairRequest, _fields(self))


class ApplyBody(PlacedBody):
    """
    Attributes:
        text: the file.
        edit: what changes in it, with `... existing code ...` in a comment for what stays.
        reading: which of several readings is taken, from 1; without it they must agree in what is lost.
        deadline_ms: the merge is given up after so long.
    """

    text: str
    edit: str
    reading: Annotated[int, Field(ge=1)] | None = None
    deadline_ms: float | None = Field(default=None, gt=0)

    def request(self) -> ApplyRequest:
        return nested(ApplyRequest, _fields(self))


class ScoreBody(Incoming):
    """A text, and what stands around it."""

    prefix: str
    suffix: str = ""
    middle: str


def _fields(body: Incoming) -> dict[str, Any]:
    """Return the fields with their values as they are, nested ones too."""
    return {name: value for name, value in body if name != "stream"}


def _written(body: CompleteBody | FillBody | EditBody, settings: ServeSettings) -> dict[str, Any]:
    return _fields(body) | {"max_tokens": settings.tokens(body.max_tokens)}
