"""The sampler: runs a decoding algorithm and tells about it (design section 4)."""

from __future__ import annotations

from collections.abc import Iterator

from coder.diffusion.events import Event, Finished, FinishReason
from coder.diffusion.run import DenoiseRequest, Run, Stopped
from coder.model.runtime import Runtime


class Sampler:
    """Turns requests into events with a runtime's passes. Like the runtime, for one thread at a time."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def denoise(self, request: DenoiseRequest) -> Iterator[Event]:
        """`Prefilled`, then `Step`s and `Committed` (empty where the end comes at once), then `Finished`.

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
