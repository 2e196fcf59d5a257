"""The prompt of a published model around a text: the ends of a document, or a chat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from coder.errors import CheckpointError
from coder.installation import missing_extra
from coder.model.checkpoint.denoiser import Layout
from coder.model.checkpoint.tokens import Tokenizer
from coder.model.families.tokenizer_files import token_text

CONTENT = "QUICKFILLCONTENT"
"""The place of the user's text while a template is rendered."""

HOLE = "<FILL>"

REQUEST = (
    "Here is a {language} file with a hole, marked {hole}. Write the code that belongs in the place of {hole}, and "
    "nothing of what is before or behind it, in one code block.\n\n```{language}\n{prefix}{hole}{suffix}\n```"
)
CONTINUE = (
    "Continue this {language} code. Answer with the whole code in one code block.\n\n```{language}\n{prefix}\n```"
)

CLOSED = "\n```"
"""Ends a code block, and the answer in a chat with it."""

Ids = list[int]


@dataclass(frozen=True)
class Framed:
    """A prompt: the tokens before the canvas and those behind it."""

    before: Ids
    after: Ids


@dataclass(frozen=True)
class Chat:
    """A chat template with a place for what the user says, in tokens. Text is put into it as text: it can hold no
    control token."""

    head: tuple[int, ...]
    tail: tuple[int, ...]


@dataclass(frozen=True)
class Frame:
    """The way a published model is asked.

    Attributes:
        start, end: the tokens that begin and end a document.
        sees_behind: whether the model sees what is behind the canvas.
        chat: the template, if the model is asked in a chat.
    """

    start: tuple[int, ...]
    end: tuple[int, ...]
    sees_behind: bool
    chat: Chat | None = None

    def around(self, encode: Callable[[str], Ids], prefix: str, suffix: str, language: str) -> Framed:
        """Return the prompt for a hole between two texts."""
        behind = encode(suffix) if suffix and self.sees_behind else []
        if self.chat is None:
            return Framed([*self.start, *encode(prefix)], [*behind, *self.end] if behind else [])
        shown = suffix and not self.sees_behind
        form = REQUEST if shown else CONTINUE
        request = form.format(language=language, hole=HOLE, prefix=prefix, suffix=suffix)
        begun = f"```{language}\n" if shown else f"```{language}\n{prefix}"
        before = [*self.chat.head, *encode(request), *self.chat.tail, *encode(begun)]
        return Framed(before, [*behind, *encode(CLOSED), *self.end] if behind else [])

    def answer(self, text: str) -> str:
        """Return the model's text without the ending of a chat."""
        return text if self.chat is None else text.partition(CLOSED)[0]


def make_frame(tokenizer: Tokenizer, settings: dict[str, Any], layout: Layout, sees_behind: bool, start: Ids) -> Frame:
    """Return the frame of a checkpoint with this `tokenizer_config.json`. Without a template there is no chat.

    Args:
        start: the token that begins a text, if the checkpoint has one.
    """
    template = settings.get("chat_template")
    end = (tokenizer.control.end_of_text,)
    if layout == "infill" or not isinstance(template, str):
        return Frame(tuple(start), end, sees_behind)
    head, found, tail = render(template, settings).partition(CONTENT)
    if not found:
        raise CheckpointError("the chat template leaves out what the user says; name the model with ?layout=infill")
    return Frame((), end, sees_behind, Chat(_encoded(tokenizer, head), _encoded(tokenizer, tail)))


def render(template: str, settings: dict[str, Any]) -> str:
    """Render a chat of one question that is about to be answered, in Jinja's sandbox: the template came with a model.

    Raises CheckpointError, MissingDependencyError.
    """
    try:
        from jinja2.exceptions import TemplateError
        from jinja2.sandbox import ImmutableSandboxedEnvironment
    except ImportError as error:
        raise missing_extra("chat templates need Jinja", "torch") from error

    def refuse(message: str) -> None:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = refuse
    names = ("bos_token", "eos_token", "pad_token", "unk_token")
    tokens = {name: token_text(settings.get(name)) or "" for name in names}
    try:
        return environment.from_string(template).render(
            messages=[{"role": "user", "content": CONTENT}], add_generation_prompt=True, enable_thinking=False, **tokens
        )
    except Exception as error:  # a template may fail in any way
        raise CheckpointError(
            f"the chat template cannot be rendered ({error}); name the model with ?layout=infill to do without it"
        ) from error


def _encoded(tokenizer: Tokenizer, text: str) -> tuple[int, ...]:
    return tuple(tokenizer.encode_template(text))
