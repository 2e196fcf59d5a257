"""From an example to token ids, in the layout of the model that is trained.

    prefix up to the split, suffix  ▸  what was written since, the answer, the end

The prefix is frozen where the user began to write, and what was written since is the beginning of the middle. Every
part is tokenised by itself, as the engine does it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coder.context.window import LineTokenCounter, closing_brackets, joint_window, line_break_at, window
from coder.editing.next_edit import edited_files, newest_edits, updated_path
from coder.model.checkpoint.infilling_tokens import InfillingTokens
from coder.model.checkpoint.tokens import Tokenizer
from coder.train.packed_rows import PackedDocument, token_type
from data.pack.example import ChatExample, EditExample, Example, HoleExample

MOST_CHAT_TOKENS = 128
"""Of an answer to a question, which is cut there: the base's predictions further on teach no more than these."""


class Layout:
    """Lays examples out for one model.

    Args:
        size: rows of the model's embedding.
    """

    def __init__(self, tokenizer: Tokenizer, tokens: InfillingTokens, size: int) -> None:
        self.tokenizer = tokenizer
        self.tokens = tokens
        self._dtype = token_type(size)
        self._count = LineTokenCounter(tokenizer.encode)

    def document(self, example: Example, row_length: int) -> PackedDocument | None:
        """Return None where the example does not fit into a row, or the model's family has no such form."""
        match example:
            case ChatExample():
                parts = self._chat(example)
            case EditExample():
                parts = self._edit(example)
            case _:
                parts = self._holes(example)
        if parts is None or len(parts[0]) + len(parts[1]) > row_length:
            return None
        context, middle = (np.array(part, self._dtype) for part in parts)
        return PackedDocument(context, middle, isinstance(example, ChatExample))

    def _holes(self, example: HoleExample) -> tuple[list[int], list[int]] | None:
        tokens, encode = self.tokens, self.tokenizer.encode
        texts = self._shown(example)
        if texts is None or (len(texts) > 2 and tokens.hole is None):
            return None
        first, behind = texts[0], texts[1:]
        written = len(example.texts[0]) - example.split
        prefix, begun = first[: len(first) - written], first[len(first) - written :]
        replaced = closing_brackets(behind[-1]) if example.takes_brackets and len(behind) == 1 else ""
        # As the engine does: where the line ends behind the hole, its line break is the end of the middle.
        line_break = line_break_at(behind[0][len(replaced) :]) if len(behind) == 1 else ""
        suffix = encode(behind[0][len(replaced) + len(line_break) :])
        middle = encode(begun) + encode(example.answers[0] + replaced + line_break)
        for text, answer in zip(behind[1:], example.answers[1:], strict=True):
            assert tokens.hole is not None
            suffix += [tokens.hole, *encode(text)]
            middle += [tokens.hole, *encode(answer)]
        return tokens.infilling(encode(prefix), suffix, header=self._header(example)), [*middle, tokens.end]

    def _shown(self, example: HoleExample) -> Sequence[str] | None:
        """The texts cut to the example's budgets; None where its holes are too far apart, or the split is cut off."""
        budgets = example.prefix_tokens, example.suffix_tokens
        first, *between, last = list(example.texts)
        if between:
            texts = joint_window(example.texts, self._count, *budgets)
        else:
            around = window(first, last, self._count, *budgets, replace_brackets=False)
            texts = around.prefix, around.suffix
        return None if texts is None or len(texts[0]) < len(first) - example.split else texts

    def _header(self, example: HoleExample) -> list[int]:
        """Other files, in the form that the base was trained on."""
        if not example.snippets:
            return []
        files = [(one.path, one.text) for one in example.snippets]
        return self._repository(example.repository, files, example.path)

    def _repository(self, name: str, files: Sequence[tuple[str, str]], path: str) -> list[int]:
        encode = self.tokenizer.encode
        texts = [
            [*encode(f"{other}\n"), *encode(text if text.endswith("\n") else f"{text}\n")] for other, text in files
        ]
        return self.tokens.repository_header(encode(name), texts, encode(f"{path}\n"))

    def _edit(self, example: EditExample) -> tuple[list[int], list[int]] | None:
        """The latest edits and the lines around the cursor, as they were and as they are; then as they will be."""
        recent = newest_edits(example.recent, self._count)
        files = edited_files(example.path, example.original, example.current, recent)
        context = self._repository(example.repository, files, updated_path(example.path))
        # Without a recent edit nothing tells what comes next.
        return (context, [*self.tokenizer.encode(example.updated), self.tokens.end]) if context and recent else None

    def _chat(self, example: ChatExample) -> tuple[list[int], list[int]] | None:
        """The base's chat template, up to where its answer goes on."""
        start, end, encode = self.tokens.turn_start, self.tokens.turn_end, self.tokenizer.encode
        if start is None or end is None:
            return None
        context = []
        for role, text in (("system", example.system), ("user", example.question)):
            context += [start, *encode(f"{role}\n{text}"), end, *encode("\n")]
        context += [start, *encode(f"assistant\n{example.begun}")]
        answer = encode(example.answer)
        return context, answer[:MOST_CHAT_TOKENS] + ([end] if len(answer) <= MOST_CHAT_TOKENS else [])
