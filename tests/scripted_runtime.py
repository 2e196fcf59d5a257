"""A runtime that writes what it is told to, under a real engine: for tests of what becomes of a model's text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from coder.engine.engine import Engine
from coder.generation.strategy import WIDTHS, PassCosts
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.runtime import CANDIDATES, Cache, LocalStep, Pass, Predictions
from tests.tiny import write_tiny_checkpoint

ONE_TOKEN_A_PASS = PassCosts({width: float(width) for width in WIDTHS})
LIKELY, UNLIKELY = 0.9, 1e-6


@dataclass
class TokenCache:
    """A cache that holds no more than the tokens."""

    tokens: list[int] = field(default_factory=list)
    nbytes: int = 0

    def truncate(self, length: int) -> None:
        del self.tokens[length:]

    def copy_prefix(self, length: int) -> TokenCache:
        return TokenCache(self.tokens[:length])


class ScriptedRuntime:
    """Writes, behind a prefix that ends with a key of `answers`, the text of that key, then the end token.

    Attributes:
        passes: how many there were after the prefill.
    """

    def __init__(self, checkpoint: Checkpoint, answers: dict[str, str]) -> None:
        self.config = checkpoint.config
        self.description = {"runtime": "scripted"}
        self.answers = answers
        self.passes = 0
        self._tokenizer = checkpoint.tokenizer

    def new_cache(self) -> TokenCache:
        return TokenCache()

    def forward(self, cache: Cache, request: Pass) -> Predictions:
        sequence = [*cache.tokens, *request.tokens]
        first = len(cache.tokens)
        self.passes += bool(request.wanted)
        wanted = [self._rest(sequence[: first + index + 1]) for index in request.wanted]
        best = [self._first_token(rest) if rest else self.config.control.fim_end for rest in wanted]
        cache.tokens.extend(request.tokens[: request.commit])
        # Capital letters: with a comma or a bracket among them a line could go on anywhere.
        others = [range(60, 60 + CANDIDATES)] * len(best)
        rows = [
            [token, *(other for other in ids if other != token)][:CANDIDATES]
            for token, ids in zip(best, others, strict=True)
        ]
        given = best if request.given is None else request.given
        likelihoods = [
            LIKELY if self._begins(rest, token) else UNLIKELY for rest, token in zip(wanted, given, strict=True)
        ]
        probabilities = np.full((len(best), CANDIDATES), UNLIKELY, np.float32)
        probabilities[:, 0] = LIKELY
        return Predictions(
            np.array(rows, np.int64).reshape(len(best), CANDIDATES),
            probabilities,
            np.full(len(best), 0.5, np.float32),
            np.log(np.array(likelihoods, np.float32)),
        )

    def forward_batch(self, caches: Sequence[Cache], requests: Sequence[Pass]) -> list[Predictions]:
        return [self.forward(cache, request) for cache, request in zip(caches, requests, strict=True)]

    def forward_local(self, step: LocalStep) -> Predictions:
        raise AssertionError("it has no local autoregression")

    def _begins(self, rest: bytes, token: int) -> bool:
        if not rest:
            return token == self.config.control.fim_end
        content = self._tokenizer.token_bytes(token)
        return bool(content) and rest.startswith(content)

    def _rest(self, sequence: list[int]) -> bytes:
        """What is still to be written."""
        control = self.config.control
        if control.fim_middle in sequence:  # Of the prompt, the text before the hole.
            before, suffix, middle = map(sequence.index, (control.fim_prefix, control.fim_suffix, control.fim_middle))
            sequence = sequence[before:suffix] + sequence[middle:]
        text = b"".join(self._tokenizer.token_bytes(token) for token in sequence)
        for key, answer in sorted(self.answers.items(), key=lambda item: -len(item[0])):
            place = text.rfind(key.encode()) if key else 0
            written = text[place + len(key.encode()) :]
            if place >= 0 and answer.encode().startswith(written) and len(written) < len(answer.encode()):
                return answer.encode()[len(written) :]
        return b""

    def _first_token(self, content: bytes) -> int:
        """The longest token that the bytes begin with."""
        known = {self._tokenizer.token_bytes(token): token for token in self._tokenizer.ids}
        return next(known[content[:length]] for length in range(12, 0, -1) if content[:length] in known)


def scripted_engine(folder: Path, answers: dict[str, str]) -> Engine:
    """An engine of a tiny checkpoint whose model writes the answers, one token a pass."""
    checkpoint = open_checkpoint(str(write_tiny_checkpoint(folder)))
    return Engine(ScriptedRuntime(checkpoint, answers), checkpoint, "scripted", ONE_TOKEN_A_PASS)
