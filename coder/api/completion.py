"""Requests to the engine and its answers, in text: no token ids, no framework."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from coder.context.window import FrozenPrefix
from coder.diffusion.events import FinishReason, Statistics
from coder.errors import InputError

Mode = Literal["line", "block"]
"""The extent of an answer: to the end of its line, or of its scope."""

Shape = Literal["auto", "line", "block", "raw"]
"""The form of an answer: a line or a block, `auto` by the text behind the hole; `raw` is the model's text unchanged."""


@dataclass(frozen=True)
class Snippet:
    """A part of another file: its path, as the model should read it, and its text."""

    path: str
    text: str


@dataclass(frozen=True)
class Decoding:
    """Decoding of an answer, for every kind of request.

    Attributes:
        policy: `auto`; `autoregressive`, or one whose output is the same in fewer passes: `verified`, `lookup`; or a
            canvas policy: `threshold`, `factor`, `entropy`, `fixed`. A parameter may follow a colon (`threshold:0.85`).
        canvas_size: slots of a canvas (B); None lets the policy choose.
        max_tokens: most tokens to produce; for each hole where there are several.
        temperature: 0 is greedy. top_p: nucleus, among the eight best tokens. seed: makes sampling repeatable.
        deadline_ms: wall-clock budget of the whole request; the best complete text at that time is returned.
    """

    policy: str = "auto"
    canvas_size: int | None = None
    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    deadline_ms: float | None = None


DEFAULT_DECODING = Decoding()


@dataclass(frozen=True)
class Where:
    """The place of a request's text.

    Attributes:
        path: where the text lives, for the language and the prompt's header. Nothing is read from it.
        language: overrides what `path` suggests.
        workspace: the folder whose index helps with names and habits of its code; None leaves the index out.
        exclude: globs as in `.gitignore`, from that folder on: what the index knows of such files does not count.
    """

    path: str | None = None
    language: str | None = None
    workspace: str | None = None
    exclude: tuple[str, ...] = ()


NOWHERE = Where()


@dataclass(frozen=True)
class Constraints:
    """Conditions that an answer has to meet, however it is decoded.

    It ends where it would exceed an upper bound. A lower one can only be missed where the token limit or the deadline
    comes first.

    Attributes:
        min_lines, max_lines: how many lines; one more than there are line breaks.
        min_characters, max_characters: how long it is.
        without: characters that do not occur in it.
    """

    min_lines: int = 1
    max_lines: int | None = None
    min_characters: int = 0
    max_characters: int | None = None
    without: str = ""

    def require_order(self) -> None:
        """Raises InputError: bounds that nothing can keep."""
        _require_order(self.min_lines, self.max_lines, "lines")
        _require_order(self.min_characters, self.max_characters, "characters")

    def allow(self, text: str) -> bool:
        """Return whether a text keeps the upper bounds, and has none of the characters that are not to occur."""
        fits = self.max_characters is None or len(text) <= self.max_characters
        ends = self.max_lines is None or text.count("\n") < self.max_lines
        return fits and ends and not any(character in text for character in self.without)


def _require_order(least: int, most: int | None, unit: str) -> None:
    lowest = 1 if unit == "lines" else 0
    if least < lowest or (most is not None and most < max(1, least)):
        bounds = f"at least {least}" + ("" if most is None else f" and at most {most}")
        raise InputError(
            f"no answer has {bounds} {unit}; give a lower bound from {lowest} and an upper one not below it"
        )


UNCONSTRAINED = Constraints()


@dataclass(frozen=True)
class Template:
    """Text that is fixed but for some free parts: `sorted(`, a part, `, key=`, a part, `)`.

    Attributes:
        texts: what stands before, between and behind the free parts: one more than there are parts.
    """

    texts: tuple[str, ...]

    @staticmethod
    def parse(text: str, mark: str) -> Template:
        """The template in which a mark stands for each free part. Raises InputError where there is none."""
        texts = tuple(text.split(mark)) if mark else ()
        if len(texts) < 2:
            raise InputError(f"the template {text!r} has no {mark or 'mark'} in it, which stands for what is free")
        return Template(texts)


@dataclass(frozen=True)
class Turn:
    """Something that was said in a conversation."""

    role: Literal["system", "user", "assistant"]
    text: str


@dataclass(frozen=True)
class Rewritten:
    """A text that an answer stands in the place of. For checkpoints that were trained on edits.

    Attributes:
        old: as it is. original: as it was before the request's snippets, which are the recent edits; None where it is
            not known, or the same.
        instruction: to change it: comment lines of the language, each with its line break.
    """

    old: str
    instruction: str
    original: str | None = None


@dataclass(frozen=True)
class CompletionRequest:
    """One hole to fill.

    Attributes:
        prefix, suffix: the text before and after the hole, whole; the engine cuts its window.
        length: how many tokens the answer has, where that is known: its end is fixed in advance, whatever max_tokens
            says. Canvas policies only.
        samples: how many different completions are wanted, the most likely first.
        snippets: text of other files that the model should know, the least important first.
        replace_brackets: whether the answer may stand in for closing brackets that are alone on the rest of the line
            (see `Completion.replaces`); otherwise the whole suffix stays.
        constraints: bounds that the answer keeps.
        syntax_rounds: where the answer leaves the joined text broken, at most so many others are tried; only for
            languages whose syntax can be checked.
        template: the answer is this text with its free parts filled. They are filled like the holes of a
            `FillRequest`, so each is free in length; each keeps the constraints, and is one line unless those say more.
        remasking: what is masked and denoised again in a finished answer: `syntax`, `names` or `confidence`, with the
            most rounds after a colon (`syntax:3`). The answer never becomes less likely by it.
        shape: how the answer fits its place; every door asks for `auto`, programs that judge the model for `raw`.
        expected: whether a line or a block belongs there, where raw text is asked for by who knows it; decides how
            readily the answer ends. Otherwise the shape says it.
        rewritten: the answer stands in the place of this; for checkpoints that were trained on edits.
        frozen: where the prefix is frozen, if the caller remembers what was asked before (`FrozenPrefixes`); otherwise
            the engine freezes it at a place that many prefixes share.
        conversation: what was said before; the answer is the next turn, which begins with `prefix`. It ends with the
            turn, or with the code block that the prefix opens. For checkpoints that follow instructions.
    """

    prefix: str
    suffix: str = ""
    where: Where = NOWHERE
    decoding: Decoding = DEFAULT_DECODING
    length: int | None = None
    samples: int = 1
    snippets: tuple[Snippet, ...] = ()
    replace_brackets: bool = True
    constraints: Constraints = UNCONSTRAINED
    syntax_rounds: int = 0
    template: Template | None = None
    rewritten: Rewritten | None = None
    remasking: str | None = None
    shape: Shape = "raw"
    frozen: FrozenPrefix | None = None
    conversation: tuple[Turn, ...] = ()
    expected: Mode | None = None


@dataclass(frozen=True)
class Slot:
    """One slot of the canvas as a viewer sees it. `text` is None while it is masked."""

    text: str | None
    confidence: float | None = None
    new: bool = False


@dataclass(frozen=True)
class CanvasUpdate:
    """The state of a completion after a pass: the text that is settled, and the canvas behind it.

    `passes` counts canvas passes, and those that settled tokens without a canvas. `confidence` is the mean probability
    of the settled tokens when they were fixed; 0.0 while there are none. `stays` is the beginning of the answer that
    nothing written later will change.
    """

    settled: str
    slots: tuple[Slot, ...]
    passes: int
    tokens: int
    confidence: float = 0.0
    stays: str = ""


@dataclass(frozen=True)
class Completion:
    """A finished completion.

    Attributes:
        text: what belongs in the hole.
        finish_reason: `end` (the model stopped), `length`, `loop` (it began to repeat itself),
            `deadline` or `cancelled`.
        replaces: how many characters of the suffix `text` stands in for: closing brackets that are alone on the rest
            of the line, which the model writes itself.
        seconds: from the request's start to its answer.
        statistics: passes, tokens and times, with the policy that was used.
        alternatives: further, different completions, most likely first.
    """

    text: str
    finish_reason: FinishReason
    replaces: int
    seconds: float
    statistics: Statistics
    alternatives: tuple[Completion, ...] = ()

    @property
    def tokens(self) -> int:
        return self.statistics.tokens

    @property
    def passes(self) -> int:
        """Forward passes after the prefill."""
        return self.statistics.decode_passes

    @property
    def confidence(self) -> float:
        """Mean probability of the tokens when they were fixed."""
        return self.statistics.mean_confidence


EngineEvent = CanvasUpdate | Completion
"""An event of `Engine.stream`: canvas updates, then one completion."""


@dataclass(frozen=True)
class Score:
    """The model's log-probability of a given middle, in nats: of the text, and of the end behind it.

    `greedy`: each token of the text is the likeliest one in its place.
    """

    log_probability: float
    end_log_probability: float
    tokens: int
    greedy: bool = False


@dataclass(frozen=True)
class DiffusionScore:
    """A lower bound of how likely the denoiser finds a given middle: log-probability in nats of its text, whatever
    follows it, and the standard error of that estimate."""

    log_probability: float
    standard_error: float
    tokens: int


@dataclass(frozen=True)
class TokenScore:
    """The model's log-probability of one token of a given text, given the text before it.

    Attributes:
        start, end: its characters in the text; empty for a part of a character.
        log_probability: nats.
        alternatives: the likeliest tokens in its place, best first, with their log-probabilities.
    """

    start: int
    end: int
    log_probability: float
    alternatives: tuple[tuple[str, float], ...]
