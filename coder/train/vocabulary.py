"""A byte-level vocabulary made smaller: the words that a corpus uses most, closed under the merges that make them.

A word that is not kept is spelt with shorter ones. Where the whole vocabulary's tokens of a text are all kept, the
smaller one gives the same: a kept word brings all that any merge makes it from, so every merge of its making is there,
in the order that the merges had.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from coder.errors import CheckpointError
from coder.model.checkpoint.tokens import byte_of_character
from coder.model.convert.control_tokens import special_token

TokenizerJson = Mapping[str, Any]
"""A parsed `tokenizer.json`."""


@dataclass(frozen=True)
class Vocabulary:
    """Words in the order of their ids, control tokens not among them, and the pairs that merging makes words of."""

    words: tuple[str, ...]
    merges: tuple[tuple[str, str], ...]

    @staticmethod
    def of(tokenizer: TokenizerJson) -> Vocabulary:
        """That of byte-level BPE. Raises CheckpointError for another, or one that cannot spell every byte."""
        model = tokenizer.get("model")
        if not isinstance(model, Mapping) or model.get("type") != "BPE":
            raise CheckpointError("the tokenizer is no byte-level BPE; only such a vocabulary can be pruned")
        control = {token["content"] for token in tokenizer.get("added_tokens", ())}
        words = sorted((word for word in model["vocab"] if word not in control), key=model["vocab"].__getitem__)
        if lacking := set(byte_of_character()) - set(words):
            raise CheckpointError(f"the vocabulary lacks {len(lacking)} of 256 bytes, so it cannot spell every text")
        pairs = (merge.split(" ") if isinstance(merge, str) else merge for merge in model["merges"])
        return Vocabulary(tuple(words), tuple((first, second) for first, second in pairs))

    @cached_property
    def made_of(self) -> Mapping[str, frozenset[str]]:
        """Every word that merges make, and all words that they make it of."""
        made: dict[str, set[str]] = {}
        for pair in self.merges:
            made.setdefault("".join(pair), set()).update(pair)
        return {word: frozenset(parts) for word, parts in made.items()}

    def closure(self, word: str, kept: frozenset[str] | set[str] = frozenset()) -> set[str]:
        """A word and all that it is merged from, without what is kept already."""
        needed: set[str] = set()
        left = [word]
        while left:
            part = left.pop()
            if part not in kept and part not in needed:
                needed.add(part)
                left += self.made_of.get(part, ())
        return needed

    def most_used(self, worth: Mapping[str, float], size: int) -> frozenset[str]:
        """At most `size` words: every byte, then those of the greatest worth that still find room, each with its parts.

        Words of equal worth are taken in the order of their ids.
        """
        kept = set(byte_of_character())
        for word in sorted(self.words, key=lambda word: -worth.get(word, 0.0)):
            needed = self.closure(word, kept)
            if len(kept) + len(needed) <= size:
                kept |= needed
        return frozenset(kept)


def pruned(tokenizer: TokenizerJson, kept: Iterable[str], control: Sequence[str]) -> dict[str, Any]:
    """A `tokenizer.json` of some words only: ids from 0 for the control tokens, then for the words in their old order.

    Args:
        kept: words with all that merges make them of, see `Vocabulary.most_used`.
    """
    vocabulary, kept = Vocabulary.of(tokenizer), frozenset(kept)
    words = [*control, *(word for word in vocabulary.words if word in kept and word not in control)]
    merges = [[a, b] for a, b in vocabulary.merges if a in kept and b in kept and a + b in kept]
    return {
        **tokenizer,
        "added_tokens": [special_token(number, text) for number, text in enumerate(control)],
        "model": {**tokenizer["model"], "vocab": {word: number for number, word in enumerate(words)}, "merges": merges},
    }


def token_texts(tokenizer: TokenizerJson) -> list[str]:
    """The text of every id. Raises CheckpointError where ids are left out."""
    ids = tokenizer["model"]["vocab"] | {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    by_id = {number: text for text, number in ids.items()}
    if sorted(by_id) != list(range(len(by_id))):
        raise CheckpointError("tokenizer.json leaves ids out; those of a base are counted from 0 without a gap")
    return [by_id[number] for number in range(len(by_id))]
