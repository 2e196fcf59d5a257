"""From an example to token ids, by the code that makes the engine's own prompts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coder.api.completion import CompletionRequest
from coder.generation.prompting import Prompting
from coder.model.checkpoint.config import Abilities, ModelConfig
from coder.model.checkpoint.prompt import recent_edit, repo_header
from coder.model.checkpoint.tokens import Tokenizer
from coder.train.packed_rows import Document, token_type
from data.pack.example import Example
from data.pack.settings import Kind

EVERYTHING = Abilities(holes=True, edits=True, correction=True, context=True)
"""What a checkpoint is able to do once it is trained on the rows."""


class Layout:
    """Lays examples out for one model."""

    def __init__(self, config: ModelConfig, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self._control = config.control
        self._prompting = Prompting(replace(config, abilities=EVERYTHING), tokenizer)
        self._dtype = token_type(config.vocab_size)

    def document(self, example: Example, row_length: int) -> Document | None:
        """None where the example does not fit into a row, or where its holes are too far apart for one prompt."""
        context = self._context(example)
        if context is None:
            return None
        tokens, behind = context
        middle: list[int] = []
        for number, answer in enumerate(example.answers):
            if number:
                middle.append(self._control.hole)
            middle += self.tokenizer.encode(answer + behind)
        if example.is_whole:
            middle.append(self._control.fim_end)
        room = row_length - len(tokens)
        if example.kind == Kind.LEFT_TO_RIGHT:
            middle = middle[: max(0, room)]
        if not middle or len(middle) > room:
            return None
        return Document(np.array(tokens, self._dtype), np.array(middle, self._dtype))

    def _context(self, example: Example) -> tuple[list[int], str] | None:
        """The prompt, and what the answer has to write besides: the brackets that it stands in for."""
        request, encode = example.request, self.tokenizer.encode
        name = repo_header(self.tokenizer, example.repository) if example.repository else []
        if not isinstance(request, CompletionRequest):
            prompt = self._prompting.holes(request)
            return None if prompt is None else ([*name, *prompt.tokens], "")
        if example.recent_edits:
            edits = [recent_edit(self._control, encode(edit.old), encode(edit.new)) for edit in example.recent_edits]
            around = self._prompting.window(request)
            header = [token for edit in edits for token in edit]
            return self._prompting.context(around, [*name, *header], request.rewritten), around.replaced
        prompt = self._prompting.prompt(request)
        return [*name, *prompt.tokens], prompt.around.replaced
