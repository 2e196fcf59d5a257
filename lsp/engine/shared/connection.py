"""One client of a shared engine, as the engine's process sees it."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Generator
from concurrent.futures import Future
from functools import partial

from coder.api.completion import CanvasUpdate, Completion, EngineEvent
from coder.api.streams import last
from coder.api.text_engine import TextEngine
from coder.api.text_requests import Edited, EditEvent, Filled, FillEvent, HoleUpdate, RegionUpdate
from coder.errors import InputError
from lsp.engine.shared.channel import Channel, ChannelError
from lsp.engine.shared.messages import (
    TO_CLIENT,
    TO_ENGINE,
    Ask,
    Cancel,
    CompleteCall,
    EditCall,
    FillCall,
    IndexCall,
    Loading,
    PrefillCall,
    Ready,
    RepairCall,
    ScoreCall,
    TaskAnswer,
    TaskUpdate,
    ToClient,
    decode,
    encode,
    failure,
)

log = logging.getLogger(__name__)

MOST_TASKS = 64
"""The most tasks at a time; an editor has a few."""


class Connection:
    """Answers what one client asks, each task in a thread of its own, until the client leaves."""

    def __init__(self, channel: Channel, loaded: Future[TextEngine]) -> None:
        self._channel = channel
        self._loaded = loaded
        self._lock = threading.Lock()
        self._cancelled: dict[int, threading.Event] = {}

    def serve(self) -> None:
        """Serve the client. Raises ChannelError for anything but a message, OSError when the connection breaks."""
        try:
            if not self._loaded.done():
                self._send(Loading())
            try:
                engine = self._loaded.result()
            except Exception as error:
                self._send(failure(None, error))
                return
            status = engine.status()
            self._send(Ready(status.model, status.version, status.runtime, status.abilities, os.getpid()))
            while (body := self._channel.receive()) is not None:
                self._take(engine, decode(TO_ENGINE, body))
        finally:
            with self._lock:
                for cancelled in self._cancelled.values():
                    cancelled.set()
            self._channel.close()

    def _take(self, engine: TextEngine, message: Ask | Cancel) -> None:
        with self._lock:
            if isinstance(message, Cancel):
                if message.id in self._cancelled:  # else it is answered already
                    self._cancelled[message.id].set()
                return
            if message.id in self._cancelled or len(self._cancelled) >= MOST_TASKS:
                raise ChannelError(f"task {message.id} is under way, or too many others are")
            cancelled = self._cancelled[message.id] = threading.Event()
        threading.Thread(target=self._work, args=(engine, message, cancelled), daemon=True).start()

    def _work(self, engine: TextEngine, ask: Ask, cancelled: threading.Event) -> None:
        try:
            with contextlib.suppress(OSError):  # the client has left, and its tasks are cancelled
                self._send(self._answer(engine, ask, cancelled))
        finally:
            with self._lock:
                del self._cancelled[ask.id]

    def _answer(self, engine: TextEngine, ask: Ask, cancelled: threading.Event) -> ToClient:
        try:
            match ask.task:
                case CompleteCall(request, updates):
                    return self._last(ask.id, engine.stream(request, cancelled), updates)
                case PrefillCall(request):
                    return TaskAnswer(ask.id, engine.prefill(request, cancelled))
                case FillCall(request):
                    return self._last(ask.id, engine.stream_fill(request, cancelled))
                case EditCall(request):
                    return self._last(ask.id, engine.stream_edit(request, cancelled))
                case RepairCall(request):
                    return TaskAnswer(ask.id, engine.repair(request, cancelled))
                case ScoreCall(prefix, suffix, middle):
                    return TaskAnswer(ask.id, engine.score(prefix, suffix, middle))
                case IndexCall(folder):
                    return TaskAnswer(ask.id, engine.index_state(folder))
        except Exception as error:
            if not isinstance(error, InputError | OSError):
                log.exception("task %d failed", ask.id)
            return failure(ask.id, error)

    def _last(
        self, id: int, stream: Generator[EngineEvent | FillEvent | EditEvent, None, None], updates: bool = True
    ) -> TaskAnswer:
        """Return the answer that a stream ends with. Its updates are sent, if they are wanted."""
        watch = partial(self._update, id) if updates else None
        return TaskAnswer(id, last(stream, (Completion, Filled, Edited), watch))

    def _update(self, id: int, event: CanvasUpdate | HoleUpdate | RegionUpdate) -> None:
        self._send(TaskUpdate(id, event))

    def _send(self, message: ToClient) -> None:
        self._channel.send(encode(TO_CLIENT, message))
