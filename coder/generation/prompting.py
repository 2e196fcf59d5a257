"""From a request to its prompt: the window of its text, snippets of other files, a guide from the workspace; or a
conversation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePath

from coder.api.completion import UNCONSTRAINED, CompletionRequest, Rewritten, Snippet, Where
from coder.api.text_requests import FillRequest
from coder.context.window import (
    FROZEN_TOKENS,
    PREFIX_TOKENS,
    SUFFIX_TOKENS,
    Budget,
    FrozenPrefix,
    LineTokenCounter,
    Window,
    freeze,
    joint_window,
    line_break_at,
    prefix_start,
    window,
)
from coder.context.workspace_index import WorkspacePool
from coder.editing.next_edit import edited_files, newest_edits, updated_path
from coder.generation.conversation import conversation_prompt, inside_fence, open_fence, surely_inside_fence
from coder.generation.workspace_guide import LAST_WORD, WorkspaceGuide
from coder.model.checkpoint.config import ModelConfig
from coder.model.checkpoint.tokens import Tokenizer, infill, infill_holes, repository_header
from coder.model.families.frame import Frame
from coder.syntax.languages import language_name, language_named, language_of

SNIPPET_TOKENS = 256
"""For all snippets together."""

SUFFIX_TOKENS_BEHIND_PREFIX = 160
"""Fewer in this project's layout: there the suffix is read anew whenever the cursor jumps."""

LONGEST_WORD = 64
"""Characters, as in the index."""

MOST_WRITTEN = 4096
"""Characters behind a frozen prefix that are looked at."""

UNTITLED = "untitled"
"""The name of a repository or a file that has none."""


CURSOR = "<|cursor|>"
"""A mark that Qwen2.5-Coder may spell out in an answer, in the letters of ordinary tokens."""


def without_cursor(text: str) -> str:
    """Return the text of an answer without marks of a cursor."""
    return text.replace(CURSOR, "")


def surely_without_cursor(text: str) -> str:
    """Return the same of a text that is not finished, without what may become such a mark."""
    text = without_cursor(text)
    begun = next((size for size in range(len(CURSOR) - 1, 0, -1) if text.endswith(CURSOR[:size])), 0)
    return text[: len(text) - begun]


def unchanged(text: str) -> str:
    return text


@dataclass(frozen=True)
class Prompt:
    """The prompt of a request: the text that the model is shown, its tokens, and guides from the workspace.

    Attributes:
        after: the tokens behind the canvas, for a model that sees them.
        also_end: tokens that end the answer besides the end token.
        answer: tells what of the model's text is the answer. surely: the same of a text that is not finished.
    """

    around: Window
    tokens: list[int]
    guides: tuple[WorkspaceGuide, ...]
    after: list[int] = field(default_factory=list)
    also_end: tuple[int, ...] = ()
    answer: Callable[[str], str] = unchanged
    surely: Callable[[str], str] = unchanged


class Prompting:
    """Makes prompts for one model; `workspaces` holds the indexes of the folders that requests name."""

    def __init__(self, config: ModelConfig, tokenizer: Tokenizer, frame: Frame | None = None) -> None:
        """`frame` is a published model's, instead of this project's layout."""
        self.workspaces = WorkspacePool()
        self._config = config
        self._tokenizer = tokenizer
        self._frame = frame
        self._count_tokens = LineTokenCounter(tokenizer.encode)

    def prompt(self, request: CompletionRequest, most_tokens: int | None = None) -> Prompt:
        """Return the prompt of a request.

        Args:
            most_tokens: for the text around the hole, alone, where there is no time to read more.
        """
        if request.conversation:
            return self._conversation(request)
        around = self.window(request, most_tokens)
        suffix = request.suffix[len(around.replaced) + len(around.line_break) :]
        guide = self.guide(request.where, request.prefix, suffix)
        guides = (guide,) if guide else ()
        if self._frame is not None:
            language = language_name(request.where.language, request.where.path)
            framed = self._frame.around(self._tokenizer.encode, around.prefix, around.suffix, language)
            # A canvas has something before it; the end of a text is what stands before one that begins.
            before = framed.before or [self._tokenizer.control.end_of_text]
            return Prompt(around, before, guides, framed.after, answer=self._frame.answer)
        # What a base model writes behind an answer ends it; an adapted one was taught a single end.
        also_end = self._config.control.ends[1:]
        if request.rewritten is not None:
            return Prompt(around, self._edited(request.where, request.rewritten, request.snippets), guides)
        tokens = self.context(around, self._header(request, around) if most_tokens is None else [])
        if self._config.adapted:
            return Prompt(around, tokens, guides)
        return Prompt(around, tokens, guides, also_end=also_end, answer=without_cursor, surely=surely_without_cursor)

    def holes(self, request: FillRequest) -> Prompt | None:
        """Return the prompt that asks for all holes at once, or None where they must be filled in turn.

        That is where the checkpoint has not learned to, where answers have to keep constraints, which count for each
        hole by itself, and where the holes lie too far apart.
        """
        if not self._config.abilities.holes or len(request.texts) < 3 or request.constraints != UNCONSTRAINED:
            return None
        share = self._config.max_positions // 8
        budgets = min(PREFIX_TOKENS, 2 * share), min(SUFFIX_TOKENS, share)
        shown = joint_window(request.texts, self._count_tokens, *budgets)
        if shown is None:
            return None
        guide = self.guide(request.where, request.texts[0], "".join(request.texts[1:]))
        tokens = infill_holes(self._config.control, [self._tokenizer.encode(text) for text in shown])
        return Prompt(Window(shown[0], "".join(shown[1:])), tokens, (guide,) if guide else ())

    def window(self, request: CompletionRequest, most_tokens: int | None = None) -> Window:
        """Return the part of the text that the model sees; a model of few positions sees less."""
        prefix, suffix, count_tokens = request.prefix, request.suffix, self._count_tokens
        share = max(1, self._room(request) // 4)
        if most_tokens is not None:
            share = max(1, min(share, most_tokens // 3))
        if self._frame is not None:
            budgets = min(PREFIX_TOKENS, 2 * share), min(SUFFIX_TOKENS, share)
            return window(prefix, suffix, count_tokens, *budgets, request.replace_brackets)
        frozen = self._frozen(request, Budget(min(FROZEN_TOKENS, 2 * share)))
        suffix_tokens = min(SUFFIX_TOKENS_BEHIND_PREFIX, share)
        behind = window("", suffix, count_tokens, 0, suffix_tokens, request.replace_brackets)
        line_break = line_break_at(behind.suffix) if self._writes_line_break(request) else ""
        shown, written = prefix[frozen.start : frozen.split], prefix[frozen.split :]
        return Window(shown, behind.suffix[len(line_break) :], behind.replaced, written, line_break)

    def context(self, around: Window, header: Sequence[int] = ()) -> list[int]:
        """Return the whole prompt in tokens."""
        encode = self._tokenizer.encode
        prefix, suffix, written = encode(around.prefix), encode(around.suffix), encode(around.written)
        return infill(self._config.control, prefix, suffix, header, written)

    def guide(self, where: Where, prefix: str, suffix: str) -> WorkspaceGuide | None:
        """Return a guide from the workspace as it is now, for a hole between two texts; None without a workspace."""
        if where.workspace is None:
            return None
        index = self.workspaces.at(where.workspace).around(where.path, prefix, suffix, exclude=where.exclude)
        begun = LAST_WORD.search(prefix, max(0, len(prefix) - LONGEST_WORD))
        return WorkspaceGuide(index, self._tokenizer, suffix, begun.group() if begun else "")

    def _writes_line_break(self, request: CompletionRequest) -> bool:
        """Tell whether a line break behind the hole is for the model to write; bounds count the answer alone."""
        unbounded = request.length is None and request.constraints == UNCONSTRAINED
        return self._config.ending.line_break and unbounded and request.rewritten is None

    def _room(self, request: CompletionRequest) -> int:
        """Return the positions that are left beside the answer."""
        positions = self._config.max_positions
        return positions - min(request.decoding.max_tokens, positions // 2)

    def _frozen(self, request: CompletionRequest, budget: Budget) -> FrozenPrefix:
        """Return the frozen part that the request brings, within the budget; one without a memory where it has none, or
        where too much was written behind it."""
        prefix, count_tokens = request.prefix, self._count_tokens
        if (known := request.frozen) is not None:
            split = max(0, min(known.split, len(prefix)))
            if len(prefix) - split <= MOST_WRITTEN and count_tokens(prefix[split:]) <= 2 * budget.written:
                start = max(0, min(known.start, split))
                return FrozenPrefix(start + prefix_start(prefix[start:split], count_tokens, budget.frozen), split)
        return freeze(prefix, count_tokens, budget)

    def _header(self, request: CompletionRequest, around: Window) -> list[int]:
        """Return other files in the checkpoint's form, and the name of the one with the hole. They only confuse one
        that was not trained with any."""
        if not self._config.abilities.context:
            return []
        budget = min(SNIPPET_TOKENS, self._config.max_positions // 8)
        repository, own = _names(request.where)
        header: list[int] = []
        if own != UNTITLED and not (around.prefix + around.suffix).strip() and "\n" not in around.written.strip():
            # The first line of a new file does not tell what it is.
            header = repository_header(self._tokenizer, repository, (), own)
        for first in reversed(range(len(request.snippets))):
            files = [(snippet.path, snippet.text) for snippet in request.snippets[first:]]
            longer = repository_header(self._tokenizer, repository, files, own)
            if len(longer) > budget:
                break
            header = longer
        return header

    def _edited(self, where: Where, rewritten: Rewritten, snippets: Sequence[Snippet]) -> list[int]:
        """Return the prompt that asks for a text as it will be; see `coder.editing.next_edit`."""
        repository, own = _names(where)
        original = rewritten.old if rewritten.original is None else rewritten.original
        files = edited_files(own, original, rewritten.old, newest_edits(snippets, self._count_tokens))
        header = repository_header(self._tokenizer, repository, files, updated_path(own))
        return [*header, *self._tokenizer.encode(rewritten.instruction)]

    def _conversation(self, request: CompletionRequest) -> Prompt:
        """Return the prompt of a conversation, whose answer begins with the request's prefix."""
        begun, room = request.prefix, self._room(request)
        tokens = conversation_prompt(self._config, self._tokenizer, request.conversation, begun, room)
        around, also_end = Window(begun, ""), self._config.control.ends[1:]
        fence = open_fence(begun)
        if not fence:
            return Prompt(around, tokens, (), also_end=also_end)
        answer, surely = partial(inside_fence, fence=fence), partial(surely_inside_fence, fence=fence)
        return Prompt(around, tokens, (), also_end=also_end, answer=answer, surely=surely)


def _names(where: Where) -> tuple[str, str]:
    """Return the name of the repository and the path of the file in it, as a prompt has them."""
    root, path = PurePath(where.workspace or ""), PurePath(where.path or "")
    inside = where.workspace is not None and path.is_relative_to(root)
    own = (path.relative_to(root).as_posix() if inside else path.name) or UNTITLED
    known = language_named(where.language or "")
    if known is not None and known.suffixes and language_of(own) is None:
        own += known.suffixes[0]
    return root.name or UNTITLED, own
