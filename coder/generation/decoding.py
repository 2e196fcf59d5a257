"""The sampler's events, in token ids, as updates in text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from coder.api.completion import CanvasUpdate, Slot, TokenScore
from coder.diffusion.events import Committed, Event, Finished, Prefilled, Statistics, Step
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
