"""An engine behind a server, as the language server sees it."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import closing
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from coder.api.completion import Completion, CompletionRequest, EngineEvent, Score, Statistics
from coder.api.streams import AnyOf, Cancellation, last
from coder.api.text_engine import EngineStatus
from coder.api.text_requests import (
    Edited,
    EditEvent,
    EditRequest,
    Filled,
    FillEvent,
    FillRequest,
    HoleUpdate,
    RepairRequest,
)
from coder.api.wire import (
    CompletedEvent,
    CompleteEvent,
    EditAnswer,
    Failure,
    FilledEvent,
    FillEvents,
    PrefillAnswer,
    ScoreAnswer,
    ServerInfo,
    flat,
)
from coder.context.workspace_index import IndexState
from coder.errors import InputError
from lsp.engine.errors import EngineLostError, EngineRefusedError, ServerLostError
from lsp.engine.remote.address import ServerAddress
from lsp.engine.remote.exchange import Exchange

ROOT = "/quickfill/v1"

PATIENCE_SECONDS = 150.0
"""Seconds to wait for a server that is silent while it works on a request without a deadline."""

GRACE_SECONDS = 10.0
"""Seconds beyond a request's deadline before a silent server counts as gone."""

OF_THE_OTHER_MACHINE = ("workspace", "exclude", "rewritten")
"""Fields of requests that name folders of this machine, which a server does not have."""

Result = TypeVar("Result")
Event = TypeVar("Event", CompleteEvent, FillEvents)
Body = TypeVar("Body", bound=BaseModel)

COMPLETE_EVENT: TypeAdapter[CompleteEvent | Failure] = TypeAdapter(CompleteEvent | Failure)
FILL_EVENT: TypeAdapter[FillEvents | Failure] = TypeAdapter(FillEvents | Failure)


class RemoteEngine:
    """A `TextEngine`.

    Args:
        key: the server's, if it asks for one.
    """

    def __init__(self, address: ServerAddress, key: str | None) -> None:
        self._address, self._key = address, key
        self._closed = threading.Event()
        self._status = self._ask_status()

    def stream(
        self, request: CompletionRequest, cancelled: Cancellation | None = None
    ) -> Generator[EngineEvent, None, None]:
        started = time.monotonic()
        for event in self._events("/complete", request, COMPLETE_EVENT, cancelled):
            if isinstance(event.root, CompletedEvent):
                yield event.root.answer
                return
            yield event.root.update
        statistics = Statistics(policy=request.decoding.policy)
        yield Completion("", "cancelled", 0, time.monotonic() - started, statistics)

    def complete(self, request: CompletionRequest, cancelled: Cancellation | None = None) -> Completion:
        return last(self.stream(request, cancelled), Completion)

    def prefill(self, request: CompletionRequest, cancelled: Cancellation | None = None) -> bool:
        return self._answer("/prefill", _body(request), PrefillAnswer, cancelled, PrefillAnswer(answer=False)).answer

    def stream_fill(
        self, request: FillRequest, cancelled: Cancellation | None = None
    ) -> Generator[FillEvent, None, None]:
        for event in self._events("/fill", request, FILL_EVENT, cancelled):
            if isinstance(event.root, FilledEvent):
                yield event.root.answer
                return
            yield HoleUpdate(event.root.hole, event.root.update)
        nothing = Completion("", "cancelled", 0, 0.0, Statistics(policy=request.decoding.policy))
        yield Filled("".join(request.texts), (nothing,) * (len(request.texts) - 1), False, 0, 0.0)

    def stream_edit(
        self, request: EditRequest, cancelled: Cancellation | None = None
    ) -> Generator[EditEvent, None, None]:
        """The answer alone: a server does not say how a region is written."""
        unchanged = Edited(request.text, (), 0.0, 0.0, 0, 0.0)
        yield self._answer("/edit", _body(request), EditAnswer, cancelled, EditAnswer(answer=unchanged)).answer

    def repair(self, request: RepairRequest, cancelled: Cancellation | None = None) -> Edited:
        unchanged = Edited(request.text, (), 0.0, 0.0, 0, 0.0)
        return self._answer("/repair", _body(request), EditAnswer, cancelled, EditAnswer(answer=unchanged)).answer

    def score(self, prefix: str, suffix: str, middle: str) -> Score:
        body = {"prefix": prefix, "suffix": suffix, "middle": middle}
        return self._answer("/score", body, ScoreAnswer, None, ScoreAnswer(answer=Score(0.0, 0.0, 0))).answer

    def index_state(self, folder: str) -> IndexState:
        """Return an empty state: a server does not see the folder."""
        return IndexState(files=0, words=0, bytes=0, building=False, complete=True, seconds=0.0, age_seconds=None)

    def status(self) -> EngineStatus:
        return self._status

    def close(self) -> None:
        self._closed.set()

    def _ask_status(self) -> EngineStatus:
        content = b"".join(Exchange(self._address, self._key, f"{ROOT}/info", None, GRACE_SECONDS).lines())
        info = _checked(TypeAdapter(ServerInfo), content)
        runtime = info.runtime | {"server": f"{self._address.url} ({info.server})"}
        return EngineStatus(
            info.model, info.version, runtime, info.abilities.model_dump(), shared=True, process_id=None
        )

    def _events(
        self,
        path: str,
        request: CompletionRequest | FillRequest,
        kind: TypeAdapter[Event | Failure],
        cancelled: Cancellation | None,
    ) -> Generator[Event, None, None]:
        """Yield updates and the answer; no answer if the request is cancelled."""
        exchange = self._exchange(path, _body(request) | {"stream": True}, request.decoding.deadline_ms)
        either = AnyOf(cancelled or self._closed, self._closed)
        with closing(exchange.lines(either)) as lines:
            for line in lines:
                if not line.startswith(b"data:"):
                    continue
                event = _checked(kind, line.removeprefix(b"data:"))
                if isinstance(event, Failure):
                    raise EngineRefusedError(event.error.message)
                yield event
        if not either.is_set():
            raise ServerLostError(f"the server at {self._address.url} ended in the middle of an answer")

    def _answer(
        self,
        path: str,
        body: dict[str, Any],
        kind: type[Body],
        cancelled: Cancellation | None,
        otherwise: Body,
    ) -> Body:
        """Return the server's answer; `otherwise` if the request is cancelled."""
        either = AnyOf(cancelled or self._closed, self._closed)
        content = b"".join(self._exchange(path, body, body.get("deadline_ms")).lines(either))
        if either.is_set():
            return otherwise
        return _checked(TypeAdapter(kind), content)

    def _exchange(self, path: str, body: dict[str, Any], deadline_ms: float | None) -> Exchange:
        seconds = PATIENCE_SECONDS if deadline_ms is None else deadline_ms / 1000.0 + GRACE_SECONDS
        try:
            content = to_json(body)
        except PydanticSerializationError as error:
            raise InputError(f"the text holds a character that is none: {error}") from error
        return Exchange(self._address, self._key, f"{ROOT}{path}", content, seconds)


def _body(request: CompletionRequest | FillRequest | EditRequest | RepairRequest) -> dict[str, Any]:
    """Return a request as the server takes it."""
    body = {name: value for name, value in flat(request).items() if name not in OF_THE_OTHER_MACHINE}
    if body.get("template") is not None:
        body["template"] = body["template"]["texts"]
    return body


def _checked(kind: TypeAdapter[Result], content: bytes) -> Result:
    """Return the parsed answer. Raises EngineLostError for anything else."""
    try:
        return kind.validate_json(content)
    except ValidationError as error:
        fault = error.errors(include_input=False)[:1]
        raise EngineLostError(f"the server answers with what is no answer: {fault}") from error
