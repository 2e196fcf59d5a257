"""A guide from the workspace: tokens that its code has in similar places become likelier, and are drafted."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice

import numpy as np
import numpy.typing as npt

from coder.context.ngram_index import Match, NgramIndex
from coder.context.words import split_words
from coder.model.checkpoint.tokens import Tokenizer
from coder.model.runtime import TokenBias

STRENGTH = 50.0
"""The odds of a token that the workspace gives the share s are multiplied by 1 + STRENGTH times s squared. Chosen by
the lines that the embedded checkpoint writes exactly in packages that are in no figure; a better model needs less."""

STRENGTH_IN_A_WORD = 1000.0
"""The same inside the word that was begun before the hole: how names go on is for the workspace to say."""

SHORTEST_CONTEXT, DOUBTFUL_WORDS = 2, 1.5
"""Words that must be the same; a context of n words is trusted by the share of those above the doubtful ones."""

CONTEXTS = 4
"""Contexts that are mixed: the longest ones that have a continuation."""

MOST_TOKENS = 8
"""Tokens that get a bias, the likeliest."""

TAIL_TOKENS = 64
"""Settled tokens whose text is looked up: more than the index reads of it."""

NEXT_WORDS, AHEAD_WORDS = 4, 16
"""Words of a continuation: enough to know its first token, and for a canvas or a draft."""

FEWEST_LETTERS = 4
"""Of the beginning of a word by which it is looked up alone."""

LAST_WORD = re.compile(r"\w+\Z")

SUFFIX_CHARACTERS = 200
"""Characters of the suffix that hold its first words."""

AGREEMENT = 0.5
"""A continuation is followed as long as at least this share of the places continue so."""

PERSISTENCE = 0.85
"""Probability that a continuation that was right so far is right one token further. In held-out code 60 % are right at
their first token, 26 % four tokens on, 9 % ten tokens on."""

FOLLOWED_TEXTS = 16


class WorkspaceGuide:
    """A `Guide` and a `Drafter` from a workspace's code. Its answers depend on the settled text alone.

    Args:
        index: the workspace's n-grams. It does not change while the guide is in use.
        suffix: the text behind the hole. Where the workspace continues with that text, the hole ends.
        begun: the word that the text before the hole ends with, if the hole may go on inside it.
    """

    def __init__(self, index: NgramIndex, tokenizer: Tokenizer, suffix: str, begun: str = "") -> None:
        self._index = index
        self._tokenizer = tokenizer
        self._suffix = suffix
        self._suffix_start = "".join(split_words(suffix[:SUFFIX_CHARACTERS])[:NEXT_WORDS])
        self._control = frozenset(tokenizer.control.all)
        self._begun = begun if len(begun) >= FEWEST_LETTERS else ""
        self._endings = lru_cache(maxsize=64)(index.endings)
        self._encode = lru_cache(maxsize=4096)(tokenizer.encode)

    def bias(self, settled: Sequence[int], canvas: npt.NDArray[np.int64], slots: npt.NDArray[np.int64]) -> TokenBias:
        """Return the bias, as `Guide.bias` says. Behind the first masked slot the workspace's own continuation is
        followed, as long as the tokens fixed there agree with it."""
        masked = np.flatnonzero(canvas == self._tokenizer.control.mask)
        known = int(masked[0]) if len(masked) else len(canvas)
        rows: list[tuple[int, int, float]] = []
        for row, slot in enumerate(slots.tolist()):
            if slot <= known:
                before = [*settled[-TAIL_TOKENS:], *canvas[:slot].tolist()]
                strength = STRENGTH_IN_A_WORD if self._word_begun(before) else STRENGTH
                rows += [(row, token, _bias(share, strength)) for token, share in self.next_tokens(before).items()]
        rows += self._ahead(settled, canvas, slots, known)
        if not rows:
            return TokenBias.none()
        of_rows, tokens, values = zip(*rows, strict=True)
        return TokenBias(np.array(of_rows, np.int64), np.array(tokens, np.int64), np.array(values, np.float32))

    def draft(self, settled: Sequence[int], size: int) -> list[int]:
        """Return a draft, as `Drafter.draft` says."""
        return [token for token, _ in islice(self.followed(settled), size)]

    def next_tokens(self, settled: Sequence[int]) -> dict[int, float]:
        """Return the likeliest next tokens by the workspace alone, with their shares; the rest to 1 is unknown.

        Contexts of falling length are mixed by how far each can be trusted (Witten and Bell, 1991): one that was seen
        n times with d different tokens behind it has n / (n + d) of the say, less where it is short, and the shorter
        ones have the rest.
        """
        shares: defaultdict[int, float] = defaultdict(float)
        unsaid = 1.0
        for match in islice(self._matches(settled, NEXT_WORDS), CONTEXTS):
            counts: defaultdict[int | None, int] = defaultdict(int)
            for text, count in match.continuations.items():
                counts[self._first_token(text)] += count
            trust = unsaid * _trust(match.depth) * match.count / (match.count + len(counts))
            unsaid -= trust
            for token, count in counts.items():
                if token is not None:
                    shares[token] += trust * count / match.count
        for token, share in self._words_begun(settled):
            shares[token] += unsaid * share
        return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0]))[:MOST_TOKENS])

    def _words_begun(self, settled: Sequence[int]) -> Iterator[tuple[int, float]]:
        """Yield tokens that go on with the word that was begun before the hole, with their shares among the words that
        begin so anywhere: what stands before the word may be new."""
        word = self._word_begun(settled)
        endings = self._endings(word) if word else {}
        total = sum(endings.values())
        for ending, count in endings.items():
            if ending:
                yield self._encode(ending)[0], count / (total + len(endings))

    def _word_begun(self, settled: Sequence[int]) -> str:
        """Return the word at the end, if it is the one that was begun before the hole."""
        word = LAST_WORD.search(self._tokenizer.decode(settled[-TAIL_TOKENS:])) if self._begun else None
        return word.group() if word is not None and word.group().startswith(self._begun) else ""

    def followed(self, settled: Sequence[int]) -> Iterator[tuple[int, float]]:
        """Yield the tokens of the workspace's own continuation, each with the share of places that continue so far."""
        match = next(self._matches(settled, AHEAD_WORDS), None)
        if match is None:
            return
        likeliest = sorted(match.continuations.items(), key=lambda item: (-item[1], item[0]))[:FOLLOWED_TEXTS]
        texts = [(self._encode(self._before_suffix(text)), count) for text, count in likeliest]
        place = 0
        while True:
            counts: defaultdict[int, int] = defaultdict(int)
            for tokens, count in texts:
                if place < len(tokens):
                    counts[tokens[place]] += count
            if not counts:
                return
            token, count = max(counts.items(), key=lambda item: (item[1], -item[0]))
            if count < AGREEMENT * match.count:
                return
            yield token, _trust(match.depth) * count / (match.count + 1)
            texts = [(tokens, count) for tokens, count in texts if place < len(tokens) and tokens[place] == token]
            place += 1

    def _ahead(
        self, settled: Sequence[int], canvas: npt.NDArray[np.int64], slots: npt.NDArray[np.int64], known: int
    ) -> Iterator[tuple[int, int, float]]:
        """Yield row, token and bias for slots behind the first masked one."""
        behind = {slot: row for row, slot in enumerate(slots.tolist()) if slot > known}
        if not behind:
            return
        mask = self._tokenizer.control.mask
        followed = self.followed([*settled[-TAIL_TOKENS:], *canvas[:known].tolist()])
        persisting = 1.0
        for slot, (token, share) in zip(range(known, len(canvas)), followed, strict=False):
            if slot in behind:
                yield behind[slot], token, _bias(persisting * share, STRENGTH)
            if canvas[slot] not in (mask, token):
                return
            persisting = 1.0 if canvas[slot] == token else persisting * PERSISTENCE

    def _matches(self, settled: Sequence[int], width: int) -> Iterator[Match]:
        """Yield what follows the text behind the last control token of `settled`, the longest context first."""
        tail = list(settled[-TAIL_TOKENS:])
        start = max((place + 1 for place, token in enumerate(tail) if token in self._control), default=0)
        for match in self._index.matches(self._tokenizer.decode(tail[start:]), width):
            if match.depth < SHORTEST_CONTEXT:
                return
            yield match

    def _first_token(self, text: str) -> int | None:
        """Return the token that a continuation begins with.

        That is the end where the continuation is the suffix, and None where it says that the line ends but not whether
        the hole does.
        """
        if self._suffix.startswith(text):
            return self._tokenizer.control.fim_end
        if _begins_with_line_break(text) and _begins_with_line_break(self._suffix):
            return None
        return self._encode(text)[0]

    def _before_suffix(self, text: str) -> str:
        """Return the text up to where it continues as the suffix does."""
        if self._suffix_start and (place := text.find(self._suffix_start)) >= 0:
            return text[:place]
        ends = (place for place in range(len(text)) if self._suffix.startswith(text[place:]))
        return text[: next(ends, len(text))]


def _bias(share: float, strength: float) -> float:
    """Return the bias for the logit of a token that the workspace gives this share."""
    return math.log1p(strength * share * share)


def _trust(depth: int) -> float:
    return max(0.0, depth - DOUBTFUL_WORDS) / depth


def _begins_with_line_break(text: str) -> bool:
    return text.lstrip(" \t").startswith("\n")
