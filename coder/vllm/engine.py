"""An engine whose model runs in a vLLM server. Prompts are made and answers finished here, as `Engine` does it.

Where `Engine` compares log-probabilities this one cannot: vLLM gives none for a diffusion model. A hole inside a line
ends by the rules of `hole_borders` alone, and repairs and scores are refused. Decoding is greedy.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, replace

from coder.api.completion import UNCONSTRAINED, Completion, CompletionRequest, EngineEvent, Score, TokenScore
from coder.api.streams import AnyOf, Cancellation, last, unstarted
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
    redecoded,
)
from coder.context.window import replaced_characters
from coder.context.workspace_index import IndexState
from coder.diffusion.events import (
    UNLIMITED,
    Committed,
    Event,
    Finished,
    FinishReason,
    Prefilled,
    Statistics,
    TimeLimits,
)
from coder.diffusion.policies import POLICIES, VERIFIED, policy_of
from coder.editing.apply import apply_edit
from coder.editing.fill import FillingModel, fill_in_turn
from coder.editing.rewrite import stream_rewrite
from coder.editing.template import complete_template, free_parts
from coder.errors import InputError
from coder.generation.completing import expected_of, fitting_of, has_nothing_to_go_on
from coder.generation.decoding import Decoded, canvas_updates
from coder.generation.prompting import Prompting
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.config import ModelConfig
from coder.vllm.client import OutOfTimeError, TokenRequest, VllmClient

AUTOREGRESSIVE_OUTPUT = tuple(policy.name for policy in POLICIES if not policy.unmasking and not policy.local)
"""Policies whose output is that of `verified`; the plugin knows them by that name."""

UNSCORED = (
    "log-probabilities are not known where vLLM runs the model: leave logprobs out, or, where an edit could belong in "
    "several places, repeat more of the code around it"
)


class VllmEngine:
    """Any thread may call any method; vLLM batches what is asked at a time."""

    def __init__(self, client: VllmClient, checkpoint: Checkpoint, model_name: str) -> None:
        """
        Args:
            checkpoint: the one that vLLM serves, in any format: for its tokenizer and settings.
            model_name: how it is called here.

        Raises UnreachableError.
        """
        self.model_name = model_name
        # What vLLM serves has its adapter in it, which harms the ability to follow instructions.
        abilities = replace(checkpoint.config.abilities, instructions=False)
        self.config: ModelConfig = replace(checkpoint.config, abilities=abilities)
        self._client, self._tokenizer = client, checkpoint.tokenizer
        self._served_name = client.model()
        self._prompting = Prompting(self.config, checkpoint.tokenizer)

    @property
    def description(self) -> dict[str, str]:
        """Facts about what runs the model, for people."""
        return {"runtime": "vLLM", "served as": self._served_name}

    def complete(self, request: CompletionRequest, cancelled: Cancellation | None = None) -> Completion:
        return last(self.stream(request, cancelled), Completion)

    def complete_many(self, requests: Sequence[CompletionRequest]) -> list[Completion]:
        return [self.complete(request) for request in requests]

    def stream(
        self, request: CompletionRequest, cancelled: Cancellation | None = None
    ) -> Generator[EngineEvent, None, None]:
        """Updates as canvases are settled, then the completion. Raises InputError, UnreachableError."""
        _require_what_vllm_does(request)
        if request.template is not None:
            yield from complete_template(request.template, self.stream_fill(free_parts(request), cancelled))
            return
        started = time.monotonic()
        if has_nothing_to_go_on(request):
            yield unstarted("end", request.decoding.policy)
            return
        fitting = fitting_of(request)
        prompt = self._prompting.prompt(fitting.asked if fitting else request)
        room = self.config.max_positions - len(prompt.tokens)
        if room < 1:
            raise InputError(f"the context alone is {len(prompt.tokens)} tokens, of {self.config.max_positions}")
        limit_ms = request.decoding.deadline_ms
        asked = TokenRequest(
            prompt.tokens,
            VERIFIED.name if request.decoding.policy in AUTOREGRESSIVE_OUTPUT else request.decoding.policy,
            request.decoding.canvas_size,
            min(request.decoding.max_tokens, room),
            expected_of(request),
            float("inf") if limit_ms is None else started + limit_ms / 1000.0,
        )
        most_lines, shown = request.constraints.max_lines, None
        for update in canvas_updates(self._events(asked, cancelled or AnyOf(), most_lines), self._tokenizer):
            if isinstance(update, Decoded):
                text = prompt.around.without_line_break("\n".join(update.text.split("\n")[:most_lines]))
                replaces = replaced_characters(text, prompt.around.replaced)
                seconds, finished = time.monotonic() - started, update.finished
                completion = Completion(text, finished.reason, replaces, seconds, finished.statistics)
                yield fitting.completion(completion, None) if fitting else completion
            else:
                update = replace(update, settled=prompt.around.without_line_break(update.settled))
                shown = fitting.update(update, shown) if fitting else replace(update, stays=update.settled)
                yield shown

    def stream_fill(
        self, request: FillRequest, cancelled: Cancellation | None = None
    ) -> Generator[FillEvent, None, None]:
        yield from fill_in_turn(FillingModel(self.stream), request, cancelled or AnyOf())

    def fill(self, request: FillRequest, cancelled: Cancellation | None = None) -> Filled:
        return last(self.stream_fill(request, cancelled), Filled)

    def stream_edit(
        self, request: EditRequest, cancelled: Cancellation | None = None
    ) -> Generator[EditEvent, None, None]:
        """As `Engine.stream_edit`; both scores are 0.0."""
        return stream_rewrite(_Unscored(self), request, cancelled)

    def edit(self, request: EditRequest, cancelled: Cancellation | None = None) -> Edited:
        """As `Engine.edit`; both scores are 0.0."""
        return last(self.stream_edit(request, cancelled), Edited)

    def repair(self, request: RepairRequest, cancelled: Cancellation | None = None) -> Edited:
        """Raises InputError."""
        raise InputError("a repair compares log-probabilities, which vLLM does not give; say where the cursor is")

    def apply(self, request: ApplyRequest, cancelled: Cancellation | None = None) -> Applied:
        """As `Engine.apply`. Raises InputError, also for an edit that could belong in several places."""
        return apply_edit(request, self.score, cancelled)

    def score(self, prefix: str, suffix: str, middle: str, limits: TimeLimits = UNLIMITED) -> Score:
        """Raises InputError."""
        raise InputError(UNSCORED)

    def score_tokens(
        self, prefix: str, suffix: str, text: str, limits: TimeLimits = UNLIMITED
    ) -> tuple[TokenScore, ...]:
        """Raises InputError."""
        raise InputError(UNSCORED)

    def prefill(self, request: CompletionRequest, cancelled: Cancellation | None = None) -> bool:
        """Bring a context into vLLM's prefix cache."""
        return (
            self.complete(redecoded(replace(request, template=None), max_tokens=1), cancelled).finish_reason
            != "cancelled"
        )

    def count_tokens(self, text: str) -> int:
        return len(self._tokenizer.encode(text))

    def joined(self) -> AbstractContextManager[None]:
        """Threads need not meet here: their requests do, in vLLM."""
        return nullcontext()

    def index_state(self, folder: str) -> IndexState:
        return self._prompting.workspaces.at(folder).state

    def status(self) -> EngineStatus:
        return EngineStatus(
            model=self.model_name,
            version=self.config.version,
            runtime=dict(self.description),
            abilities=self.config.abilities.by_name(),
            shared=True,
            process_id=None,
        )

    def close(self) -> None:
        self._client.close()
        self._prompting.workspaces.close()

    def _events(self, asked: TokenRequest, cancelled: Cancellation, most_lines: int | None) -> Iterator[Event]:
        """Yield what vLLM writes as events of the sampler, until another line begins than there may be. The number of
        passes is not known; each part that comes was at least one."""
        written: list[int] = []
        parts, end = 0, self.config.control.fim_end
        reason: FinishReason = "cancelled"
        yield Prefilled(0, len(asked.prompt) - 1)
        try:
            with closing(self._client.tokens(self._served_name, asked, cancelled)) as answer:
                for tokens, finish in answer:
                    settled = tuple(token for token in tokens if token != end)
                    if settled:
                        written += settled
                        parts += 1
                        yield Committed(settled, (1.0,) * len(settled))
                    if finish is not None:
                        reason = "length" if finish == "length" else "end"
                    elif most_lines and self._tokenizer.decode(written).count("\n") >= most_lines:
                        reason = "end"
                        break
        except OutOfTimeError:
            reason = "deadline"
        statistics = Statistics(asked.policy, len(written), prefill_tokens=len(asked.prompt) - 1, commit_passes=parts)
        yield Finished(reason, statistics)


@dataclass(frozen=True)
class _Unscored:
    """The engine for those who only want scores to tell of them."""

    engine: VllmEngine

    @property
    def config(self) -> ModelConfig:
        return self.engine.config

    def score_tokens(
        self, prefix: str, suffix: str, text: str, limits: TimeLimits = UNLIMITED
    ) -> tuple[TokenScore, ...]:
        return ()

    def complete(self, request: CompletionRequest, cancelled: Cancellation | None = None) -> Completion:
        return self.engine.complete(request, cancelled)

    def stream(
        self, request: CompletionRequest, cancelled: Cancellation | None = None
    ) -> Generator[EngineEvent, None, None]:
        return self.engine.stream(request, cancelled)


def _require_what_vllm_does(request: CompletionRequest) -> None:
    """Raises InputError for what only our own sampler can do."""
    beyond = {
        "length": request.length is not None,
        "samples": request.samples != 1,
        "constraints": replace(request.constraints, max_lines=None) != UNCONSTRAINED,
        "syntax_rounds": request.syntax_rounds > 0,
        "remasking": request.remasking is not None,
        f"policy {request.decoding.policy}": policy_of(request.decoding.policy).local,
    }
    if wanted := [name for name, is_wanted in beyond.items() if is_wanted]:
        raise InputError(f"{', '.join(wanted)}: not possible where vLLM runs the model")
