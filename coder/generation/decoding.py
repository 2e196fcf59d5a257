"""Translation between text and the sampler: bounds of an answer become constraints on tokens, events become updates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from coder.api.completion import CanvasUpdate, Constraints, Slot, TokenScore
from coder.diffusion.events import Committed, Event, Finished, Prefilled, Statistics, Step
from coder.diffusion.steering import Between, Constraint, Without
from coder.errors import InputError
from coder.model.checkpoint.tokens import Tokenizer, whole_characters
from coder.model.runtime import Predictions


@dataclass(frozen=True)
class Decoded:
    """The outcome of a run: its text, its tokens, which may be more than the text where it was stopped early, and its
    `Finished` event."""

    text: str
    tokens: tuple[int, ...]
    finished: Finished

    def costing(self, statistics: Statistics) -> Decoded:
        """Return the outcome with other costs; its tokens and confidence stay its own."""
        own = self.finished.statistics
        costs = replace(statistics, tokens=len(self.tokens), mean_confidence=own.mean_confidence)
        return replace(self, finished=replace(self.finished, statistics=costs))


def canvas_updates(events: Iterable[Event], tokenizer: Tokenizer) -> Iterator[CanvasUpdate | Decoded]:
    """Yield a `CanvasUpdate` after every pass that changed something; at last the outcome.

    The text of a run that was stopped early is the best complete one: whole lines where there is more than one.
    """
    settled: list[int] = []
    confidences: dict[int, float] = {}
    passes, confidence_sum = 0, 0.0
    drafted = False
    for event in events:
        match event:
            case Prefilled():
                yield CanvasUpdate("", (), 0, 0)
            case Step(canvas, newly_unmasked, probabilities):
                passes, drafted = passes + 1, True
                confidences |= dict(zip(newly_unmasked, probabilities, strict=True))
                slots = slots_of(canvas, newly_unmasked, confidences, tokenizer)
                mean = confidence_sum / len(settled) if settled else 0.0
                yield CanvasUpdate(whole_characters(settled, tokenizer), slots, passes, len(settled), mean)
            case Committed(tokens, probabilities):
                settled.extend(tokens)
                confidence_sum += sum(probabilities)
                # Without a canvas before it, it took a pass of its own.
                passes, drafted, confidences = passes + (not drafted), False, {}
                mean = confidence_sum / len(settled) if settled else 0.0
                yield CanvasUpdate(whole_characters(settled, tokenizer), (), passes, len(settled), mean)
            case Finished(reason, _, pending):
                tokens = (*settled, *pending)
                text = whole_characters(tokens, tokenizer)
                yield Decoded(text if reason in ("end", "length", "loop") else complete_lines(text), tokens, event)


def token_scores(tokens: Sequence[int], predictions: Predictions, tokenizer: Tokenizer) -> tuple[TokenScore, ...]:
    """Return the score of each given token from the pass over them, placed in characters of their text."""
    scores = []
    position = 0
    logarithms = np.log(np.maximum(predictions.probabilities, np.finfo(np.float32).tiny))
    for index, piece in enumerate(tokenizer.pieces(tokens)):
        texts = [tokenizer.decode([token]) for token in predictions.tokens[index].tolist()]
        alternatives = tuple(zip(texts, logarithms[index].tolist(), strict=True))
        own = float(predictions.log_probability[index])
        scores.append(TokenScore(position, position + len(piece), own, alternatives))
        position += len(piece)
    return tuple(scores)


def complete_lines(text: str) -> str:
    """Return the text without its last line, if it has more than one."""
    lines, line_break, _ = text.rpartition("\n")
    return lines if line_break and lines.strip() else text


def slots_of(
    canvas: tuple[int, ...], new: tuple[int, ...], confidences: dict[int, float], tokenizer: Tokenizer
) -> tuple[Slot, ...]:
    """Return the slots up to the end token. One whose bytes are no whole character shows U+FFFD until it is settled."""
    control = tokenizer.control
    length = canvas.index(control.fim_end) if control.fim_end in canvas else len(canvas)
    return tuple(
        Slot(None)
        if token == control.mask
        else Slot(tokenizer.decode([token]), confidences.get(index, 1.0), index in new)
        for index, token in enumerate(canvas[:length])
    )


IntArray = npt.NDArray[np.int64]


class TokenConstraints:
    """The lines and characters that a tokenizer's tokens add, counted when they are first needed.

    Args:
        vocab_size: of the model, which may have more ids than the tokenizer.
    """

    def __init__(self, tokenizer: Tokenizer, vocab_size: int) -> None:
        self._tokenizer = tokenizer
        self._vocab_size = vocab_size

    def of(self, constraints: Constraints) -> Iterator[Constraint]:
        """Yield the constraints that an answer in tokens has to obey.

        Raises:
            InputError: bounds that nothing can keep.
        """
        constraints.require_order()
        end = self._tokenizer.control.fim_end
        if constraints.without:
            yield Without(self._tokens_with(constraints.without))
        if constraints.min_lines > 1 or constraints.max_lines is not None:
            most = None if constraints.max_lines is None else constraints.max_lines - 1
            yield Between(self._line_breaks, constraints.min_lines - 1, most, end)
        if constraints.min_characters or constraints.max_characters is not None:
            bounds = constraints.min_characters, constraints.max_characters
            yield Between(self._characters, *bounds, end, smallest=1, surely=self._sure_characters)

    @cached_property
    def _bytes(self) -> list[bytes]:
        return [self._tokenizer.token_bytes(token) for token in range(self._vocab_size)]

    @cached_property
    def _line_breaks(self) -> IntArray:
        return np.array([content.count(b"\n") for content in self._bytes], np.int64)

    @cached_property
    def _characters(self) -> IntArray:
        """The most characters that a token can add. Bytes that continue a character begun before may turn out to form
        none, and are then shown as one character each."""
        return np.array([len(content.decode(errors="replace")) for content in self._bytes], np.int64)

    @cached_property
    def _sure_characters(self) -> IntArray:
        """The fewest characters that a token can add: its bytes that continue no character begun before, since the
        others may join one."""
        return np.array([sum(byte & 0xC0 != 0x80 for byte in content) for content in self._bytes], np.int64)

    def _tokens_with(self, characters: str) -> IntArray:
        """Return the tokens that hold one of the characters, or its first bytes at their end."""
        beginnings = {character: _encode(character) for character in characters}
        parts = [encoded[:length] for encoded in beginnings.values() for length in range(1, len(encoded))]
        found = [
            token
            for token, content in enumerate(self._bytes)
            if any(encoded in content for encoded in beginnings.values()) or content.endswith(tuple(parts))
        ]
        return np.array(found, np.int64)


def _encode(character: str) -> bytes:
    try:
        return character.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{character!r} is half of a surrogate pair, which no text can hold anyway") from error
