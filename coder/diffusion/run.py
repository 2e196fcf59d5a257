"""The sampler: a request for token ids becomes a stream of events (design section 4).

A `Run` brings the context into the cache (`prefill`). Then the request's algorithm decodes with the run's passes:

    until the answer ends or is long enough
        make a canvas behind the sequence, masked          `Run.new_canvas`
        until nothing that may hold text is masked
            predict its masked slots in one pass           `Run.predict_canvas`
            choose a token for each                        `Run.select_tokens`
            fix those that the policy chooses              `UnmaskingPolicy.select`, event `Step`
        make its text part of the output                   `Run.accept`, event `Committed`

The cache catches up with the output when the next pass needs it (`Run._catch_up`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from coder.diffusion.canvas import Canvas, IntArray, OpenCanvas, SlotRange, canvas_pass
from coder.diffusion.events import (
    Committed,
    Event,
    Finished,
    FinishReason,
    Prefilled,
    Statistics,
    Step,
    Stopped,
    TimeLimits,
)
from coder.diffusion.steering import Constraint, Drafter, Exclusions, Guide, Steering
from coder.diffusion.unmasking import ProbabilityArray, TokenArray, select_tokens
from coder.errors import InputError
from coder.model.checkpoint.config import ModelConfig
from coder.model.runtime import Cache, LocalStep, Pass, Predictions, Runtime, common_prefix_length


class DecodingAlgorithm(Protocol):
    """A way to produce tokens once the context is in the cache. Its `str()` describes it in the statistics."""

    def decode(self, run: Run) -> Generator[Step | Committed, None, FinishReason]:
        """Produce tokens with the passes of `run` until the end token or the limit, and say which it was."""
        ...


@dataclass(frozen=True)
class DenoiseRequest:
    """A context to continue, in token ids, and how.

    Attributes:
        context: the whole prompt; its last token is the first anchor.
        cache: keys and values of an earlier run, or empty. What it shares with the context is reused, the rest is
            forgotten; afterwards it holds the context and a beginning of the output.
        algorithm: how to decode.
        end_token: ends the output and is not part of it. also_end: others that do.
        suffix: tokens behind the output, for a model that sees them.
        max_tokens: most tokens to produce.
        control_tokens: control tokens that may be produced besides the end token.
        temperature, top_p, seed: see `unmasking.select_tokens`; without a seed every run draws anew.
        deadline: when to stop, on the clock of `time.monotonic`, seconds.
        cancelled: asked before every pass whether to stop.
        stop: told the output before every pass; the reason to stop there, if there is one.
        fixed: tokens given in advance, by their position in the output. The end cannot come before the last of them.
        never_empty: the end token is not the first of the output.
        end_bias: added to the end token's logit, nats: below 0 the output gets longer.
        guides: their biases are added up.
        constraints: the output obeys all of them.
        drafters: asked in order for drafts by the algorithm that copies them, where the context has none.
        prefill_chunk: most context tokens computed in one pass, thus between two looks at deadline and `cancelled`.
        guidance: scale of classifier-free guidance of canvas passes (LLaDA, arXiv:2502.09992, appendix A.2); 0 is none.

    Raises:
        InputError: a setting out of its range.
    """

    context: Sequence[int]
    cache: Cache
    algorithm: DecodingAlgorithm
    end_token: int
    max_tokens: int = 256
    also_end: tuple[int, ...] = ()
    suffix: Sequence[int] = ()
    control_tokens: tuple[int, ...] = ()
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    deadline: float = float("inf")
    cancelled: Callable[[], bool] = lambda: False
    stop: Callable[[Sequence[int]], FinishReason | None] = lambda output: None
    fixed: Mapping[int, int] = field(default_factory=dict)
    never_empty: bool = False
    end_bias: float = 0.0
    guides: Sequence[Guide] = ()
    constraints: Sequence[Constraint] = ()
    drafters: Sequence[Drafter] = ()
    prefill_chunk: int = 128
    guidance: float = 0.0

    @property
    def limits(self) -> TimeLimits:
        return TimeLimits(self.deadline, self.cancelled)

    @property
    def ends(self) -> tuple[int, ...]:
        """Every token that ends the output."""
        return (self.end_token, *self.also_end)

    def __post_init__(self) -> None:
        if not self.context:
            raise ValueError("the context needs at least one token, the anchor")
        if self.prefill_chunk < 1:
            raise ValueError(f"prefill_chunk must be at least 1, not {self.prefill_chunk}")
        if self.max_tokens < 1:
            raise InputError(f"max_tokens must be at least 1, not {self.max_tokens}")
        if not 0.0 <= self.temperature < float("inf"):
            raise InputError(f"temperature must be 0 (greedy) or a positive number, not {self.temperature:g}")
        if not 0.0 < self.top_p <= 1.0:
            raise InputError(f"top_p must be above 0 and at most 1, not {self.top_p:g}")
        if not all(0 <= position < self.max_tokens for position in self.fixed):
            raise InputError(f"fixed slots must lie within the {self.max_tokens} tokens to produce (max_tokens)")


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

    `sequence` is the context and the output so far, all of it settled; its last token is the anchor. The cache holds
    a beginning of it (see `_catch_up`).
    """

    def __init__(self, runtime: Runtime, request: DenoiseRequest) -> None:
        self.request = request
        self.sequence = list(request.context)
        self.unfinished: Canvas | None = None
        """The latest canvas, of those whose fixed slots stay."""
        self._runtime = runtime
        self._cached = 0
        self._reused = 0
        self._judged = 0
        self._confidence_sum = 0.0
        self._prefill, self._canvas, self._commit = PassTally(), PassTally(), PassTally()
        self._generator = np.random.default_rng(request.seed)
        self._allowed_control = (*request.ends, *request.control_tokens)
        self._emptiness: float | None = None
        self._steering = Steering(
            request.constraints,
            request.guides,
            request.end_token,
            max(request.fixed, default=-1),
            request.never_empty,
            request.end_bias,
        )
        self._spare_caches: list[Cache] = []

    @property
    def output(self) -> list[int]:
        """The tokens produced so far."""
        return self.sequence[len(self.request.context) :]

    @property
    def produced(self) -> int:
        """Number of tokens produced so far."""
        return len(self.sequence) - len(self.request.context)

    @property
    def remaining(self) -> int:
        """Number of tokens that may still be produced."""
        return self.request.max_tokens - self.produced

    @property
    def config(self) -> ModelConfig:
        return self._runtime.config

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
            emptiness=self._emptiness or 0.0,
        )

    def prefill(self) -> Prefilled:
        """Bring the context but its last token into the cache, keeping what is there already."""
        self.request.cache.truncate(common_prefix_length(self.request.cache.tokens, self.sequence[:-1]))
        self._reused = self._cached = len(self.request.cache.tokens)
        self._catch_up(self._prefill)
        return Prefilled(self._reused, self._prefill.positions)

    def new_canvas(self, size: int, limit: int) -> Canvas:
        """Return a canvas at the end of the sequence, masked but for the tokens given in advance.

        It has `size` slots unless the model has fewer positions left.
        """
        size = min(size, self.config.max_positions - len(self.sequence))
        return Canvas(size, limit, self.config.control.mask, self.request.end_token, self._given(size))

    def open_canvas(self, size: int) -> OpenCanvas:
        """Return a published model's canvas at the end of the sequence, masked but for the tokens given in advance.

        In front of a suffix the whole canvas is the answer, whatever tokens are in it.
        """
        size = min(size, self.config.max_positions - len(self.sequence) - len(self.request.suffix))
        ends = () if self.request.suffix else self.request.ends
        return OpenCanvas(size, self.remaining, self.config.control.mask, ends, self._given(size))

    def predict_canvas(
        self,
        canvas: Canvas,
        slots: IntArray,
        part: SlotRange | None = None,
        extra: tuple[int, ...] = (),
        given: Sequence[int] | None = None,
        states: bool = False,
    ) -> Predictions:
        """Run a canvas pass and predict the W `slots`, from everything settled and all fixed slots.

        Args:
            part: the slots that the pass is restricted to, for an approximate pass.
            extra: control tokens that may be predicted this once.
            given: tokens of the slots, whose log-probability is wanted.
            states: whether the slots' hidden states are wanted, for `predict_locally`.
        """
        request, exclusions = self._canvas_pass(canvas, slots, part, extra)
        request = replace(request, given=given, states=states)
        first = self.produced + int(slots[0]) if len(slots) else -1
        return self._steered(self._forward(request, self._canvas), exclusions, first)

    def predict_canvases(self, canvases: Sequence[tuple[Canvas, IntArray]]) -> list[Predictions]:
        """Run the passes for several canvases in the same place as one batch. For a model that caches nothing."""
        passes = [self._canvas_pass(canvas, slots) for canvas, slots in canvases]
        while len(self._spare_caches) < len(passes):
            self._spare_caches.append(self._runtime.new_cache())
        self._stop_if_wanted()
        start = time.perf_counter()
        answers = self._runtime.forward_batch(self._spare_caches[: len(passes)], [request for request, _ in passes])
        for request, _ in passes:
            self._canvas.count(len(request.tokens), (time.perf_counter() - start) / len(passes))
        return [self._steering.ended(answer, found) for answer, (_, found) in zip(answers, passes, strict=True)]

    def predict_next(self, draft: Sequence[int] = (), given: Sequence[int] | None = None) -> Predictions:
        """Run a context pass over the anchor and a draft of D tokens behind it, all of which join the cache.

        Returns predictions behind the anchor and behind each token of the draft, W = D + 1, with the log-probability
        of the `given` tokens there.
        """
        tokens = [*self.sequence[self._cached :], *draft]
        wanted = range(len(tokens) - len(draft) - 1, len(tokens))
        exclusions = self._steering.behind_draft(self.output, draft)
        bias = self._steering.bias(self.sequence, np.asarray(draft, np.int64), np.arange(len(draft) + 1), exclusions)
        request = Pass(tokens, wanted, commit=len(tokens), given=given, control_tokens=self._allowed_control, bias=bias)
        predictions = self._forward(request, self._commit)
        if self.request.also_end:
            ends = np.isin(predictions.tokens, self.request.also_end)
            predictions = replace(predictions, tokens=np.where(ends, self.request.end_token, predictions.tokens))
        return self._steered(predictions, exclusions, self.produced)

    def predict_locally(self, canvas: Canvas, slot: int, states: Any) -> Predictions:
        """Predict a masked slot again, now that the two tokens before it are known, without a pass.

        Args:
            states: the slot's row of the states of the pass before, [1, hidden size].
        """
        start = time.perf_counter()
        known = [*self.sequence[-2:], *canvas.tokens[:slot].tolist()]
        exclusions = [self._steering.excluded(self.output, canvas, slot)]
        bias = self._steering.bias(self.sequence, canvas.tokens, np.array([slot]), exclusions)
        before = [(known[-1], known[-2] if len(known) > 1 else known[-1])]
        step = LocalStep(states, before, control_tokens=self._allowed_control, bias=bias)
        found = self._steering.ended(self._runtime.forward_local(step), exclusions)
        self._canvas.seconds += time.perf_counter() - start
        return found

    def _steered(self, predictions: Predictions, exclusions: Sequence[Exclusions], position: int) -> Predictions:
        """Return a pass's predictions under the constraints and the end's rule; the first is for `position`."""
        predictions = self._steering.ended(predictions, exclusions)
        if position == 0 and len(predictions.tokens):
            predictions, emptiness = self._steering.begun(predictions)
            self._emptiness = emptiness if self._emptiness is None else self._emptiness
        return predictions

    def compatible(self, canvas: Canvas, slots: IntArray, tokens: IntArray, confidences: ProbabilityArray) -> IntArray:
        """Return which of the chosen slots may be fixed together; see `Steering.compatible`."""
        return self._steering.compatible(self.output, canvas, slots, tokens, confidences)

    def take_back(self, count: int) -> None:
        """Remove the last `count` tokens from the cache: those of a draft that were not right."""
        self._cached -= count
        self.request.cache.truncate(self._cached)

    def select_tokens(self, predictions: Predictions) -> tuple[TokenArray, ProbabilityArray]:
        """Select a token for each of the W predicted positions, and its probability, as the request's sampling says."""
        return select_tokens(predictions, self.request.temperature, self.request.top_p, self._generator)

    def accept(self, tokens: Sequence[int], confidences: Sequence[float]) -> Committed:
        """Make `tokens` part of the output."""
        self.sequence.extend(tokens)
        self._confidence_sum += sum(confidences)
        return Committed(tuple(tokens), tuple(confidences))

    def _given(self, size: int) -> dict[int, int]:
        """The tokens given in advance that lie in the next `size` slots, by slot."""
        ahead = {position - self.produced: token for position, token in self.request.fixed.items()}
        return {slot: token for slot, token in ahead.items() if 0 <= slot < size}

    def _canvas_pass(
        self, canvas: Canvas, slots: IntArray, part: SlotRange | None = None, extra: tuple[int, ...] = ()
    ) -> tuple[Pass, list[Exclusions]]:
        self._catch_up(self._commit)
        output = self.output
        exclusions = [self._steering.excluded(output, canvas, slot) for slot in slots.tolist()]
        bias = self._steering.bias(self.sequence, canvas.tokens, slots, exclusions)
        before, allowed = self.sequence[self._cached :], (*self._allowed_control, *extra)
        suffix, guidance = self.request.suffix, self.request.guidance
        return canvas_pass(self.config, before, canvas.tokens, suffix, slots, allowed, bias, part, guidance), exclusions

    def _catch_up(self, tally: PassTally) -> None:
        """Bring the sequence but the anchor into the cache, as far as it can be cached.

        Accepted tokens are not cached at once, since after the last canvas nobody reads their keys and values: the
        pass that needs them brings them in. Where the output at a position predicts its own token there is no anchor,
        and where attention has blocks only whole ones can be cached. A pass covers at most `prefill_chunk` tokens,
        so that a long context can be stopped inside.
        """
        attention = self.config.attention
        chunk = attention.chunk(self.request.prefill_chunk)
        target = attention.cacheable(len(self.sequence) - self.config.shift)
        while self._cached < target:
            tokens = self.sequence[self._cached : min(self._cached + chunk, target)]
            self._forward(Pass(tokens, commit=len(tokens)), tally)

    def _forward(self, request: Pass, tally: PassTally) -> Predictions:
        self._stop_if_wanted()
        start = time.perf_counter()
        predictions = self._runtime.forward(self.request.cache, request)
        self._cached += request.commit
        tally.count(len(request.tokens), time.perf_counter() - start)
        return predictions

    def _stop_if_wanted(self) -> None:
        self.request.limits.check()
        if self.produced > self._judged:
            self._judged = self.produced
            if (reason := self.request.stop(self.sequence[len(self.request.context) :])) is not None:
                raise Stopped(reason)


class Sampler:
    """Denoises with the passes of a runtime. Like the runtime, for one thread at a time."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def denoise(self, request: DenoiseRequest) -> Iterator[Event]:
        """Yield `Prefilled`, then `Step`s and `Committed` (empty where the end comes at once), then `Finished`.

        Works only while it is iterated; leaving it early leaves the cache usable. A deadline or cancellation stops it
        before its next pass, even the first, and it ends with `Finished` like every run.

        Raises:
            InputError: the algorithm cannot do what the request asks.
        """
        run = Run(self._runtime, request)
        reason: FinishReason
        pending: tuple[int, ...] = ()
        try:
            yield run.prefill()
            reason = yield from request.algorithm.decode(run)
        except Stopped as stopped:
            reason = stopped.reason
            if run.unfinished is not None:
                pending = tuple(run.unfinished.leading_text()[0])
        yield Finished(reason, run.statistics, pending)
