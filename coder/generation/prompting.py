"""From a request to its prompt: the window of its text, snippets of other files, a guide from the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from coder.api.completion import UNCONSTRAINED, CompletionRequest, Rewritten, Snippet
from coder.api.text_requests import FillRequest
from coder.context.window import PREFIX_TOKENS, SUFFIX_TOKENS, LineTokenCounter, Window, joint_window, window
from coder.context.workspace_index import WorkspacePool
from coder.generation.workspace_guide import WorkspaceGuide
from coder.model.checkpoint.config import ModelConfig
from coder.model.checkpoint.prompt import file_header, infill, infill_holes, rewrite
from coder.model.checkpoint.tokens import Tokenizer
from coder.model.families.frame import Frame
from coder.syntax.languages import language_name

SNIPPET_TOKENS = 256
"""For all snippets together."""


@dataclass(frozen=True)
class Prompt:
    """The prompt of a request: the text that the model is shown, its tokens, and guides from the workspace.

    `after` holds the tokens behind the canvas, for a model that sees them.
    """

    around: Window
    tokens: list[int]
    guides: tuple[WorkspaceGuide, ...]
    after: list[int] = field(default_factory=list)


class Prompting:
    """Makes prompts for one model; `workspaces` holds the indexes of the folders that requests name."""

    def __init__(self, config: ModelConfig, tokenizer: Tokenizer, frame: Frame | None = None) -> None:
        """`frame` is a published model's, instead of this project's layout."""
        self.workspaces = WorkspacePool()
        self._config = config
        self._tokenizer = tokenizer
        self._frame = frame
        self._count_tokens = LineTokenCounter(tokenizer.encode)

    def prompt(self, request: CompletionRequest) -> Prompt:
        around = self.window(request)
        # Files before its own only confuse a checkpoint that was not trained with any.
        known = request.snippets if self._config.abilities.context else ()
        header = snippets_header(self._tokenizer, known, min(SNIPPET_TOKENS, self._config.max_positions // 8))
        suffix = request.suffix[len(around.replaced) :]
        guide = self.guide(request.where.workspace, request.where.path, request.prefix, suffix)
        guides = (guide,) if guide else ()
        if self._frame is not None:
            language = language_name(request.where.language, request.where.path)
            framed = self._frame.around(self._tokenizer.encode, around.prefix, around.suffix, language)
            # A canvas has something before it; the end of a text is what stands before one that begins.
            return Prompt(around, framed.before or [self._tokenizer.control.end_of_text], guides, framed.after)
        return Prompt(around, self.context(around, header, request.rewritten), guides)

    def answer(self, text: str) -> str:
        """Return the model's text without the ending of its layout."""
        return text if self._frame is None else self._frame.answer(text)

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
        guide = self.guide(request.where.workspace, request.where.path, request.texts[0], "".join(request.texts[1:]))
        tokens = infill_holes(self._config.control, [self._tokenizer.encode(text) for text in shown])
        return Prompt(Window(shown[0], "".join(shown[1:])), tokens, (guide,) if guide else ())

    def window(self, request: CompletionRequest) -> Window:
        """Return the part of the text that the model sees; a model of few positions sees less."""
        positions = self._config.max_positions
        share = max(1, (positions - min(request.decoding.max_tokens, positions // 2)) // 4)
        budgets = min(PREFIX_TOKENS, 2 * share), min(SUFFIX_TOKENS, share)
        return window(request.prefix, request.suffix, self._count_tokens, *budgets, request.replace_brackets)

    def context(self, around: Window, header: Sequence[int] = (), rewritten: Rewritten | None = None) -> list[int]:
        """Return the whole prompt in tokens."""
        encode, control = self._tokenizer.encode, self._config.control
        prefix, suffix = encode(around.prefix), encode(around.suffix)
        if rewritten is None:
            return infill(control, prefix, suffix, header)
        return rewrite(control, prefix, encode(rewritten.old), [], suffix, encode(rewritten.instruction), header)

    def guide(self, workspace: str | None, path: str | None, prefix: str, suffix: str) -> WorkspaceGuide | None:
        """Return a guide from the workspace as it is now, for a hole between two texts; None without a workspace."""
        if workspace is None:
            return None
        index = self.workspaces.at(workspace).around(path, prefix, suffix)
        return WorkspaceGuide(index, self._tokenizer, suffix)


def snippets_header(tokenizer: Tokenizer, snippets: Sequence[Snippet], budget: int = SNIPPET_TOKENS) -> list[int]:
    """Return the snippets in their order, at most `budget` tokens; the least important, which come first, give way."""
    header: list[int] = []
    for snippet in reversed(snippets):
        tokens = file_header(tokenizer, snippet.path, snippet.text)
        if len(header) + len(tokens) > budget:
            break
        header = [*tokens, *header]
    return header
