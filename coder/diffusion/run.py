"""One denoising run: the passes it takes, counted, timed, and stopped when the caller says so."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from coder.diffusion.canvas import Canvas, IntArray
from coder.diffusion.canvas_pass import Window, canvas_pass
from coder.diffusion.constraints import UNKNOWN, Verdict, forbidding, joint_verdict, with_next_unknown
from coder.diffusion.events import Committed, FinishReason, Prefilled, Statistics
from coder.diffusion.open_canvas import OpenCanvas
from coder.diffusion.request import DenoiseRequest
from coder.diffusion.selection import ProbabilityArray, TokenArray, select_tokens
from coder.model.checkpoint.config import ModelConfig
from coder.model.runtime import Cache, Pass, Predictions, Runtime, TokenBias, common_prefix_length


class Stopped(Exception):  # noqa: N818 (stopping on request is no error)
    """The caller wants no more passes."""

    def __init__(self, reason: FinishReason) -> None:
        super().__init__(reason)
        self.reason: FinishReason = reason


@dataclass
class PassTally:
    """Passes of one kind: how many, over how many positions, in how many seconds."""

    passes: int = 0
    positions: int = 0
    seconds: float = 0.0

    def count(self, positions: int, seconds: float) -> None:
        self.passes += 1
        self.positions += positions
        self.seconds += seconds


class Run:
    """The state of one run, and the passes that an algorithm is made of.

    `sequence` is the context with the output so far, all of it settled; its last token is the anchor. The cache holds
    a beginning of it, and catches up when the next pass needs it to: after the last one nobody does, so no pass is
    spent on keys and values that nobody reads.
    """

    def __init__(self, runtime: Runtime, request: DenoiseRequest) -> None:
        self.request = request
        self.sequence = list(request.context)
        self.unfinished: Canvas | None = None
        """The latest canvas, of those whose fixed slots stay."""
        self._runtime = runtime
        self._cached = 0
        self._reused = 0
        self._confidence_sum = 0.0
        self._prefill, self._canvas, self._commit = PassTally(), PassTally(), PassTally()
        self._generator = np.random.default_rng(request.seed)
        self._allowed_control = (*request.ends, *request.control_tokens)
        self._last_fixed = max(request.fixed, default=-1)
        self._spare_caches: list[Cache] = []

    @property
    def produced(self) -> int:
        """Tokens of output so far."""
        return len(self.sequence) - len(self.request.context)

    @property
    def remaining(self) -> int:
        """Tokens that may still be produced."""
        return self.request.max_tokens - self.produced

    @property
    def statistics(self) -> Statistics:
        return Statistics(
            policy=str(self.request.algorithm),
            tokens=self.produced,
            reused_tokens=self._reused,
            prefill_tokens=self._prefill.positions,
            prefill_passes=self._prefill.passes,
            canvas_passes=self._canvas.passes,
            commit_passes=self._commit.passes,
            prefill_seconds=self._prefill.seconds,
            canvas_seconds=self._canvas.seconds,
            commit_seconds=self._commit.seconds,
            mean_confidence=self._confidence_sum / self.produced if self.produced else 0.0,
        )

    @property
    def control_tokens(self) -> tuple[int, ...]:
        """Every token that stands for no text."""
        return self._runtime.config.control.all

    @property
    def config(self) -> ModelConfig:
        return self._runtime.config

    def prefill(self) -> Prefilled:
        """Bring the context but its last token into the cache, keeping what is there already."""
        self.request.cache.truncate(common_prefix_length(self.request.cache.tokens, self.sequence[:-1]))
        self._reused = self._cached = len(self.request.cache.tokens)
        self._catch_up(self._prefill)
        return Prefilled(self._reused, self._prefill.positions)

    def new_canvas(self, size: int, limit: int) -> Canvas:
        """A canvas at the end of the sequence, masked but for the tokens given in advance.

        It is whole, unless the model has no positions left for it.
        """
        config, start = self._runtime.config, self.produced
        size = min(size, config.max_positions - len(self.sequence))
        ahead = {position - start: token for position, token in self.request.fixed.items()}
        given = {slot: token for slot, token in ahead.items() if 0 <= slot < size}
        return Canvas(size, limit, config.control.mask, self.request.end_token, given)

    def open_canvas(self, size: int) -> OpenCanvas:
        """A published model's canvas at the end of the sequence, masked but for the tokens given in advance. Where
        something stands behind it, all of it is the answer whatever is in it."""
        config, start = self.config, self.produced
        size = min(size, config.max_positions - len(self.sequence) - len(self.request.suffix))
        ends = () if self.request.suffix else self.request.ends
        canvas = OpenCanvas(size, self.remaining, config.control.mask, ends)
        for position, token in self.request.fixed.items():
            if 0 <= (slot := position - start) < size:
                canvas.fix(np.array([slot]), np.array([token]), np.ones(1))
        return canvas

    def predict_canvas(
        self,
        canvas: Canvas,
        slots: IntArray,
        window: Window | None = None,
        extra: tuple[int, ...] = (),
        given: Sequence[int] | None = None,
    ) -> Predictions:
        """A canvas pass: what belongs in the W `slots`, knowing everything settled and all fixed slots.

        Args:
            window: a part of the canvas that the pass is restricted to, for an approximate pass.
            extra: control tokens that may be predicted this once.
            given: tokens of the slots, whose log-probability is wanted.
        """
        request, verdicts = self._canvas_pass(canvas, slots, window, extra)
        request = replace(request, given=given)
        return self._ended(self._forward(request, self._canvas), verdicts)

    def predict_canvases(self, canvases: Sequence[tuple[Canvas, IntArray]]) -> list[Predictions]:
        """The passes for several canvases in the same place, as one batch. For a model that caches nothing."""
        passes = [self._canvas_pass(canvas, slots) for canvas, slots in canvases]
        while len(self._spare_caches) < len(passes):
            self._spare_caches.append(self._runtime.new_cache())
        self._stop_if_wanted()
        start = time.perf_counter()
        answers = self._runtime.forward_batch(self._spare_caches[: len(passes)], [request for request, _ in passes])
        for request, _ in passes:
            self._canvas.count(len(request.tokens), (time.perf_counter() - start) / len(passes))
        return [self._ended(answer, verdicts) for answer, (_, verdicts) in zip(answers, passes, strict=True)]

    def _canvas_pass(
        self, canvas: Canvas, slots: IntArray, window: Window | None = None, extra: tuple[int, ...] = ()
    ) -> tuple[Pass, list[Verdict]]:
        self._catch_up(self._commit)
        verdicts = [self._verdict(canvas, slot) for slot in slots.tolist()]
        bias = self._bias(canvas.tokens, slots, verdicts)
        before, allowed = self.sequence[self._cached :], (*self._allowed_control, *extra)
        request = canvas_pass(self.config, before, canvas.tokens, self.request.suffix, slots, allowed, bias, window)
        return request, verdicts

    def predict_next(self, draft: Sequence[int] = (), given: Sequence[int] | None = None) -> Predictions:
        """A context pass over the anchor and a draft behind it, D tokens, which all join the cache.

        Returns what follows the anchor and each token of the draft, W = D + 1, with the log-probability of the `given`
        tokens there.
        """
        tokens = [*self.sequence[self._cached :], *draft]
        wanted = range(len(tokens) - len(draft) - 1, len(tokens))
        # What a draft's tokens are followed by must not depend on those behind them.
        verdicts = [self._verdict_behind(draft[:length]) for length in range(len(draft) + 1)]
        bias = self._bias(np.asarray(draft, np.int64), np.arange(len(draft) + 1), verdicts)
        request = Pass(tokens, wanted, commit=len(tokens), given=given, control_tokens=self._allowed_control, bias=bias)
        return self._ended(self._forward(request, self._commit), verdicts)

    def compatible(self, canvas: Canvas, slots: IntArray, tokens: IntArray, confidences: ProbabilityArray) -> IntArray:
        """Which of the chosen slots may be fixed together, as ascending indices into `slots`, at least one.

        The prediction of each knew what was fixed before the step, not the others of the step. The surest come first;
        the end, last of all, only where nothing before it stays masked.
        """
        if len(slots) < 2 or not self.request.constraints:
            return np.arange(len(slots))
        together = canvas.copy()
        kept = []
        for index in np.lexsort((-confidences, tokens == self.request.end_token)).tolist():
            slot, token = int(slots[index]), int(tokens[index])
            gap = token == self.request.end_token and bool(np.any(together.masked < slot))
            if not gap and self._verdict(together, slot).allows(token):
                together.fix(slots[[index]], tokens[[index]], confidences[[index]])
                kept.append(index)
        return np.array(sorted(kept))

    def take_back(self, count: int) -> None:
        """Remove the last `count` tokens from the cache: those of a draft that were not right."""
        self._cached -= count
        self.request.cache.truncate(self._cached)

    def select_tokens(self, predictions: Predictions) -> tuple[TokenArray, ProbabilityArray]:
        """A token for each of the W predicted positions, and its probability, as the request's sampling says."""
        return select_tokens(predictions, self.request.temperature, self.request.top_p, self._generator)

    def accept(self, tokens: Sequence[int], confidences: Sequence[float]) -> Committed:
        """Make `tokens` part of the output."""
        self.sequence.extend(tokens)
        self._confidence_sum += sum(confidences)
        return Committed(tuple(tokens), tuple(confidences))

    def _catch_up(self, tally: PassTally) -> None:
        """Bring the sequence but the anchor into the cache, as far as it can be cached."""
        attention = self.config.attention
        chunk = attention.chunk(self.request.prefill_chunk)
        target = attention.cacheable(len(self.sequence) - self.config.shift)
        while self._cached < target:
            end = min(self._cached + chunk, target)
            tokens = self.sequence[self._cached : end]
            self._forward(Pass(tokens, commit=len(tokens)), tally)

    def _forward(self, request: Pass, tally: PassTally) -> Predictions:
        self._stop_if_wanted()
        start = time.perf_counter()
        predictions = self._runtime.forward(self.request.cache, request)
        self._cached += request.commit
        tally.count(len(request.tokens), time.perf_counter() - start)
        return predictions

    def _stop_if_wanted(self) -> None:
        if self.request.cancelled():
            raise Stopped("cancelled")
        if time.monotonic() >= self.request.deadline:
            raise Stopped("deadline")

    def _bias(self, canvas: IntArray, slots: IntArray, verdicts: Sequence[Verdict]) -> TokenBias:
        """What the request's guides and constraints add to the logits of `slots`."""
        bias = forbidding(verdicts)
        for guide in self.request.guides:
            bias = bias.joined(guide.bias(self.sequence, canvas, slots))
        return bias

    def _verdict(self, canvas: Canvas, slot: int) -> Verdict:
        """What cannot stand in a masked slot."""
        position = self.produced + slot
        verdict = Verdict()
        if self.request.constraints and slot < canvas.length:
            output = np.array(self.sequence[len(self.request.context) :], np.int64)
            shown = np.where(canvas.is_masked, UNKNOWN, canvas.tokens)[: canvas.length]
            verdict = joint_verdict(self.request.constraints, np.append(output, shown), position)
        if position >= self._last_fixed:
            return verdict
        # The end cannot come yet: what would end the answer is forbidden with it.
        end = [self.request.end_token]
        return Verdict(np.concatenate([verdict.forbidden, verdict.ending, end]))

    def _verdict_behind(self, draft: Sequence[int]) -> Verdict:
        """What cannot stand behind the output and a draft, in a context pass."""
        if not self.request.constraints:
            return Verdict()
        answer = with_next_unknown([*self.sequence[len(self.request.context) :], *draft])
        return joint_verdict(self.request.constraints, answer, len(answer) - 1)

    def _ended(self, predictions: Predictions, verdicts: Sequence[Verdict]) -> Predictions:
        """The predictions, with the end in the place of what ends the answer."""
        if not self.request.constraints:
            return predictions
        tokens = predictions.tokens.copy()
        for row, verdict in zip(tokens, verdicts, strict=True):
            row[np.isin(row, verdict.ending)] = self.request.end_token
        return replace(predictions, tokens=tokens)
