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

from collections.abc import Iterator

from coder.diffusion.events import Event, Finished, FinishReason
from coder.diffusion.run import DenoiseRequest, Run, Stopped
from coder.model.runtime import Runtime


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
