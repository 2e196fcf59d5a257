"""Running the sampler on the toy model, with the laws that hold for every run checked on every run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from coder.diffusion.block_diffusion import Autoregressive, BlockDiffusion, Lookup, Verified
from coder.diffusion.events import Committed, Event, Finished, Prefilled, Step
from coder.diffusion.run import DecodingAlgorithm, DenoiseRequest, Sampler
from coder.diffusion.schedules import CosineSchedule, LinearSchedule
from coder.diffusion.unmasking import EntropyBound, Factor, FixedSteps, Scheduled, Threshold
from tests.diffusion.toy import CONTROL, END, MASK, ORDINARY, ToyCache, ToyRuntime

contexts = st.lists(st.sampled_from([*ORDINARY, CONTROL.fim_prefix, CONTROL.fim_suffix]), min_size=1, max_size=24)
canvas_sizes = st.integers(1, 12)
token_limits = st.integers(1, 30)
policies = st.one_of(
    st.builds(Threshold, st.floats(0.0, 1.0)),
    st.builds(Factor, st.floats(0.1, 4.0)),
    st.builds(EntropyBound, st.floats(0.0, 3.0)),
    st.builds(FixedSteps, st.integers(1, 16), st.sampled_from([LinearSchedule(), CosineSchedule()])),
    st.builds(
        Scheduled,
        st.sampled_from(["even", "proportional"]),
        st.none() | st.integers(1, 16),
        st.sampled_from(["confidence", "entropy", "margin"]),
    ),
)
canvas_algorithms = st.builds(BlockDiffusion, policies, canvas_sizes)
verified_algorithms = st.one_of(st.builds(Verified, canvas_sizes), st.builds(Verified, canvas_sizes, policies))
exact_algorithms = st.one_of(verified_algorithms, st.builds(Lookup, canvas_sizes))
algorithms = st.one_of(canvas_algorithms, exact_algorithms, st.just(Autoregressive()))


@dataclass
class Outcome:
    events: list[Event]
    output: list[int]
    finished: Finished
    cache: ToyCache
    runtime: ToyRuntime

    @property
    def steps(self) -> list[Step]:
        return [event for event in self.events if isinstance(event, Step)]


def run(
    context: Sequence[int],
    algorithm: DecodingAlgorithm,
    *,
    cache: ToyCache | None = None,
    runtime: ToyRuntime | None = None,
    max_tokens: int = 30,
    **settings: Any,
) -> Outcome:
    """Denoise, check what must always hold, and return everything there is to see."""
    runtime = runtime or ToyRuntime()
    cache = cache if cache is not None else runtime.new_cache()
    passes_before = len(runtime.passes)
    request = DenoiseRequest(context, cache, algorithm, END, max_tokens, **settings)
    events = list(Sampler(runtime).denoise(request))
    committed = [event for event in events if isinstance(event, Committed)]
    output = [token for event in committed for token in event.tokens]
    finished = events[-1]
    assert isinstance(finished, Finished)
    outcome = Outcome(events, output, finished, cache, runtime)
    check_order(events)
    check_output(outcome, context, max_tokens, request.control_tokens)
    check_statistics(outcome, committed, len(runtime.passes) - passes_before)
    if isinstance(algorithm, BlockDiffusion):
        positions = runtime.config.max_positions - len(context)
        check_canvases(events, algorithm.canvas_size, positions, request.fixed)
    return outcome


def check_order(events: list[Event]) -> None:
    kinds = [type(event) for event in events]
    assert kinds.count(Finished) == 1
    assert kinds.count(Prefilled) == (kinds[0] is Prefilled)
    assert kinds == [Finished] or kinds[0] is Prefilled


def check_output(outcome: Outcome, context: Sequence[int], max_tokens: int, allowed: tuple[int, ...]) -> None:
    produced = [*outcome.output, *outcome.finished.pending]
    assert set(produced) <= {*ORDINARY, *allowed}
    assert len(produced) <= max_tokens
    if outcome.finished.reason == "length":
        assert len(outcome.output) == max_tokens
    if outcome.finished.reason in ("end", "length"):
        assert not outcome.finished.pending
        assert len(outcome.cache.tokens) >= len(context) - 1
    whole = [*context, *outcome.output]
    assert outcome.cache.tokens == whole[: len(outcome.cache.tokens)]


def check_statistics(outcome: Outcome, committed: list[Committed], passes: int) -> None:
    statistics = outcome.finished.statistics
    confidences = [confidence for event in committed for confidence in event.confidences]
    assert statistics.tokens == len(outcome.output) == len(confidences)
    assert all(0.0 < confidence <= 1.0 for confidence in confidences)
    assert np.isclose(statistics.mean_confidence, np.mean(confidences) if confidences else 0.0)
    assert statistics.canvas_passes == len(outcome.steps)
    assert statistics.prefill_passes + statistics.decode_passes == passes


def check_canvases(events: list[Event], size: int, positions: int, fixed: Mapping[int, int]) -> None:
    """Only masked slots are unmasked, nothing else ever changes, and what is committed is what was shown.

    A canvas has `size` slots, unless fewer than that of the `positions` for output are left.
    """
    start = 0
    shown = empty_canvas(size, positions, start, fixed)
    for event in events:
        if isinstance(event, Step):
            before, shown = shown, np.array(event.canvas)
            new = list(event.newly_unmasked)
            assert new == np.flatnonzero(shown != before).tolist() != []
            assert all(before[new] == MASK)
            assert len(event.confidences) == len(new)
        elif isinstance(event, Committed):
            assert list(event.tokens) == shown[: len(event.tokens)].tolist()
            start += len(event.tokens)
            shown = empty_canvas(size, positions, start, fixed)


def empty_canvas(size: int, positions: int, start: int, fixed: Mapping[int, int]) -> npt.NDArray[np.int64]:
    return np.array([fixed.get(start + slot, MASK) for slot in range(min(size, positions - start))])
