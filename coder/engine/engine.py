"""The engine: the one door to a loaded model. Text in, text out."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import wait
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import ParamSpec, TypeVar

from coder.api.completion import Completion, CompletionRequest, Decoding, DiffusionScore, EngineEvent, Score, TokenScore
from coder.api.streams import POLL_SECONDS, AnyOf, Cancellation, Job, Speculative, last, limits_of, unstarted
from coder.api.text_engine import EngineStatus
from coder.api.text_requests import (
    Applied,
    ApplyRequest,
    Edited,
    EditEvent,
    EditRequest,
    Filled,
    FillEvent,
    FillRequest,
    RepairRequest,
)
from coder.context.workspace_index import IndexState, WorkspaceIndex
from coder.diffusion.events import UNLIMITED, TimeLimits
from coder.editing.apply import apply_edit
from coder.editing.fill import FillingModel, Likelihoods, fill_in_turn
from coder.editing.repair import repair
from coder.editing.rewrite import rewrite, stream_rewrite
from coder.editing.template import complete_template, free_parts
from coder.engine.batching import TOGETHER, BatchingRuntime, Worker
from coder.engine.on_demand import OnDemand
from coder.engine.runtimes import RuntimeName, load_runtime
from coder.errors import InputError
from coder.generation.completing import Completing
from coder.generation.joint_fill import joint_job, jointly_filled
from coder.generation.prompting import Prompting
from coder.generation.strategy import PassCosts, Scorer, strategy_of
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.config import ModelConfig
from coder.model.checkpoint.opening import EMBEDDED, open_checkpoint
from coder.model.runtime import MAX_CACHE_BYTES, CachePool, Runtime

WARM_UP_TEXT = "".join(f"value_{number} = {number}\n" for number in range(20))
"""Somewhat more than one pass of a context."""

Answer = TypeVar("Answer")
P = ParamSpec("P")

CONVERSATION_CACHE_BYTES = 64 << 20
"""Of keys and values besides those of completions: a conversation or two."""

CACHE_BYTES_BESIDE_CONVERSATIONS = 16 << 20
"""Of those of completions while both sets of weights are loaded, which take more than the caches do otherwise: the
contexts that were read last."""


class Engine:
    """A model, its caches, and one worker thread that answers one request at a time.

    Any thread may call any method. Requests wait their turn.
    """

    def __init__(
        self,
        runtime: Runtime,
        checkpoint: Checkpoint,
        model_name: str,
        costs: PassCosts | None = None,
        load_unadapted: Callable[[], Runtime] | None = None,
    ) -> None:
        """`load_unadapted` loads the same weights without an adapter, for conversations."""
        self.model_name = model_name
        self.checkpoint = checkpoint
        self._runtime = runtime
        self._tokenizer = tokenizer = checkpoint.tokenizer
        self._prompting = prompting = Prompting(runtime.config, tokenizer, checkpoint.frame)
        self._batching = batching = BatchingRuntime(runtime)
        self._caches = caches = CachePool(runtime.new_cache)
        self._strategy = strategy = strategy_of(batching, costs)
        self._scorer = scorer = Scorer(strategy, prompting, tokenizer, caches)
        self._completing = Completing(strategy, prompting, tokenizer, caches, None if strategy.finds_end else scorer)
        self._unadapted = None if load_unadapted is None else OnDemand(lambda: self._conversing(load_unadapted()))
        self._worker = Worker(self._batching)
        self._speculative = Speculative()

    @staticmethod
    def load(
        model: str = EMBEDDED,
        *,
        runtime: RuntimeName = "auto",
        threads: int | None = None,
        progress: Callable[[float], None] = lambda share: None,
    ) -> Engine:
        """Load a checkpoint.

        Args:
            model: `embedded`, a folder, or a hub id; of ours, or a published diffusion model. Options may follow, as
                in `NAME?dtype=int8` (`coder.model.checkpoint.options`).
            runtime: `onnx` (int8 on the processor), `torch` (the reference; GPUs), or `auto`: `torch` where it is
                installed and finds a GPU, else `onnx`.
            threads: of the ONNX runtime; None uses the cores there are.
            progress: told what share of the weights is loaded, by the PyTorch runtime.

        Raises:
            CheckpointError, InputError, MissingDependencyError: with what to do about it.
        """
        checkpoint = open_checkpoint(model)
        unadapted = checkpoint.unadapted if checkpoint.config.abilities.instructions else None
        loaded = load_runtime(checkpoint, runtime, threads, progress)
        load_unadapted = None if unadapted is None else lambda: load_runtime(unadapted, runtime, threads, beside=loaded)
        return Engine(loaded, checkpoint, model, load_unadapted=load_unadapted)

    def warm_up(self) -> None:
        """Measure the passes and read a text, so that memory is touched and the time of the first request is its own.
        What a deadline leaves time for is known from then on."""
        self.complete(CompletionRequest("x = ", decoding=Decoding(max_tokens=1)))
        # A token is a character at least, so this fits a model of few positions too.
        text = WARM_UP_TEXT[: self.config.max_positions // 8]
        self.complete(CompletionRequest(text, decoding=Decoding(max_tokens=1)))

    @property
    def config(self) -> ModelConfig:
        return self._runtime.config

    @property
    def description(self) -> dict[str, str]:
        """Facts about the runtime, for people."""
        return self._runtime.description

    def complete(self, request: CompletionRequest, cancelled: Cancellation | None = None) -> Completion:
        """The completion, when it is finished, stopped or out of time."""
        return last(self.stream(request, cancelled), Completion)

    def stream(
        self, request: CompletionRequest, cancelled: Cancellation | None = None
    ) -> Generator[EngineEvent, None, None]:
        """Canvas updates while they happen, then the completion. Leaving the iterator early cancels the request.

        Args:
            cancelled: set it to stop: the caller is answered at once, the work ends with the pass under way.

        Raises:
            InputError: a setting that cannot be used.
        """
        if request.samples < 1:
            raise InputError(f"samples must be at least 1, not {request.samples}")
        if request.template is not None:
            yield from complete_template(request.template, self.stream_fill(free_parts(request), cancelled))
            return
        left = threading.Event()
        job = Job[EngineEvent](request, AnyOf(cancelled or left, left))
        try:
            if not (yield from self._answers(job, self._completed(job))):
                yield unstarted("cancelled", request.decoding.policy, job.seconds)
        finally:
            left.set()

    def complete_many(
        self, requests: Sequence[CompletionRequest], cancelled: Sequence[Cancellation] = (), together: int = TOGETHER
    ) -> list[Completion]:
        """The completions of several requests, in their order, the same as one by one but sooner.

        Args:
            cancelled: one for each request, or none at all; the same one may stand for several.
            together: how many are worked on at a time. A request's deadline counts from when its work begins.

        Raises:
            InputError: a setting of one of them that cannot be used.
        """
        self._speculative.interrupt()
        stopped = threading.Event()
        both = [AnyOf(event, stopped) for event in cancelled or [stopped] * len(requests)]
        tasks = [partial(self.complete, request, event) for request, event in zip(requests, both, strict=True)]
        try:
            return self._worker.run_together(tasks, together)
        finally:
            stopped.set()

    def joined(self) -> AbstractContextManager[None]:
        """Let the calling thread do what it asks for itself, its passes batched with those of all threads that have
        joined. The events of a stream happen when they are asked for."""
        return self._batching.joined()

    def fill(self, request: FillRequest, cancelled: Cancellation | None = None) -> Filled:
        """The answers to several holes of a text, when the last one is finished, stopped or out of time."""
        return last(self.stream_fill(request, cancelled), Filled)

    def stream_fill(
        self, request: FillRequest, cancelled: Cancellation | None = None
    ) -> Generator[FillEvent, None, None]:
        """Yield updates of the holes, then the answers; otherwise like `stream`.

        Raises:
            InputError: a setting that cannot be used, or a text without a hole.
        """
        left = threading.Event()
        either = AnyOf(cancelled or left, left)
        try:
            if (prompt := self._prompting.holes(request)) is None:
                # A model that sees what is behind a hole needs no help to end there.
                limits = limits_of(request.decoding.deadline_ms, time.monotonic(), either)
                likelihoods = None if self._strategy.finds_end else Likelihoods.within(self, limits)
                yield from fill_in_turn(FillingModel(self.stream, likelihoods), request, either)
                return
            job = joint_job(request, either)
            answers = self._answers(job, self._completing.complete_jointly(job, prompt, len(request.texts) - 1))
            yield from jointly_filled(request, answers, job.started)
        finally:
            left.set()

    def prefill(self, request: CompletionRequest, cancelled: Cancellation | None = None) -> bool:
        """Bring the context of a request that may come soon into the cache, and write nothing.

        Any other request goes first, and ends this one. Returns whether the whole context is there.
        """
        with self._speculative.work() as interrupted:
            job = Job[bool](request, AnyOf(cancelled or interrupted, interrupted))
            self._worker.submit(job.run, self._prefilled(job))
            return any(job.answers())

    def repair(self, request: RepairRequest, cancelled: Cancellation | None = None) -> Edited:
        """The text with what is wrong in it replaced, or as it was. Raises InputError."""
        return repair(self, request, cancelled)

    def edit(self, request: EditRequest, cancelled: Cancellation | None = None) -> Edited:
        """The text with the region written anew as the instruction says, or as it was. Raises InputError."""
        return rewrite(self, request, cancelled)

    def stream_edit(
        self, request: EditRequest, cancelled: Cancellation | None = None
    ) -> Generator[EditEvent, None, None]:
        """Yield updates of the region, then the text; otherwise like `edit`."""
        return stream_rewrite(self, request, cancelled)

    def apply(self, request: ApplyRequest, cancelled: Cancellation | None = None) -> Applied:
        """The text with a lazy edit merged into it; the model is asked where that is ambiguous. Raises InputError."""
        return apply_edit(request, self.score, cancelled)

    def score(self, prefix: str, suffix: str, middle: str, limits: TimeLimits = UNLIMITED) -> Score:
        """Return how likely the model finds `middle` between the two, by the autoregressive pass. Raises Stopped where
        a limit is reached, also while it waits for its turn."""
        return self._within(limits, self._scorer.score, prefix, suffix, middle, limits)

    def diffusion_score(
        self, prefix: str, suffix: str, middle: str, canvas_size: int | None = None, samples: int = 16, seed: int = 0
    ) -> DiffusionScore:
        """Return how likely the denoiser finds `middle` between the two: a Monte-Carlo estimate of a lower bound."""
        arguments = prefix, suffix, middle, canvas_size, samples, seed
        return self._worker.submit(self._scorer.diffusion_score, *arguments).result()

    def count_tokens(self, text: str) -> int:
        """Return how many tokens the model reads or writes a text as, where it stands alone."""
        return len(self._tokenizer.encode(text))

    def workspace_index(self, folder: str) -> WorkspaceIndex:
        """The index of a folder that requests may name as their workspace. It is built in the background from the
        first time that it is asked for, and kept up while it is; `wait` for it where the first answer must know it."""
        return self._prompting.workspaces.at(folder)

    def index_state(self, folder: str) -> IndexState:
        """Return what the index of a folder holds; see `workspace_index`."""
        return self.workspace_index(folder).state

    def status(self) -> EngineStatus:
        return EngineStatus(
            model=self.model_name,
            version=self.config.version,
            runtime=dict(self.description),
            abilities=self.config.abilities.by_name(),
            shared=False,
            process_id=os.getpid(),
        )

    def score_tokens(
        self, prefix: str, suffix: str, text: str, limits: TimeLimits = UNLIMITED
    ) -> tuple[TokenScore, ...]:
        """Return how likely the model finds each token of `text` between the two, by the autoregressive pass, and the
        likeliest tokens in its place. Another text after the same prefix costs only the passes over that text. Raises
        Stopped as `score` does."""
        return self._within(limits, self._scorer.score_tokens, prefix, suffix, text, limits)

    def close(self) -> None:
        """Wait for the request under way and release the worker."""
        self._worker.shutdown(cancel_futures=True)
        self._prompting.workspaces.close()
        if self._unadapted is not None:
            self._unadapted.close()

    def _completed(self, job: Job[EngineEvent]) -> Iterator[EngineEvent]:
        with self._completing_for(job.request) as completing:
            yield from completing.complete(job)

    def _prefilled(self, job: Job[bool]) -> Iterator[bool]:
        with self._completing_for(job.request) as completing:
            yield from completing.prefill(job)

    def _completing_for(self, request: CompletionRequest) -> AbstractContextManager[Completing]:
        """Return the one that answers a request: of conversations that of the weights without an adapter, which harms
        this ability."""
        if (unadapted := self._unadapted) is None:
            return nullcontext(self._completing)
        both = bool(request.conversation) or unadapted.is_loaded
        self._caches.limit(CACHE_BYTES_BESIDE_CONVERSATIONS if both else MAX_CACHE_BYTES)
        return unadapted.using() if request.conversation else nullcontext(self._completing)

    def _conversing(self, runtime: Runtime) -> Completing:
        batching = BatchingRuntime(runtime, self._batching.turns)
        caches = CachePool(runtime.new_cache, CONVERSATION_CACHE_BYTES)
        return Completing(strategy_of(batching), self._prompting, self._tokenizer, caches)

    def _within(self, limits: TimeLimits, task: Callable[P, Answer], *arguments: P.args, **named: P.kwargs) -> Answer:
        """Return what a task of the worker returns. Raises Stopped where a limit is reached before."""
        self._speculative.interrupt()
        future = self._worker.submit(task, *arguments, **named)
        while not future.done() and limits.reached is None:
            wait([future], timeout=POLL_SECONDS)
        if not future.done():
            future.cancel()
            limits.check()
        return future.result()

    def _answers(self, job: Job[Answer], answers: Iterator[Answer]) -> Generator[Answer, None, bool]:
        """Yield the answers of a job, by the worker or, if the calling thread has joined, by itself. Return whether all
        came."""
        self._speculative.interrupt()
        if self._batching.is_joined:
            yield from answers
            return True
        self._worker.submit(job.run, answers)
        return (yield from job.answers())
