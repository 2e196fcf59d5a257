"""The tasks that a client has given to a shared engine, and what comes back for each, over one channel."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Generator
from contextlib import suppress

from coder.api.streams import NEVER, Cancellation, Mailbox
from coder.errors import InputError
from lsp.engine.errors import EngineLostError
from lsp.engine.shared.channel import Channel, ChannelError
from lsp.engine.shared.messages import (
    TO_CLIENT,
    TO_ENGINE,
    Ask,
    Cancel,
    Loading,
    Ready,
    Task,
    TaskAnswer,
    TaskFailure,
    TaskUpdate,
    ToClient,
    ToEngine,
    decode,
    encode,
    error_of,
)


class Tasks:
    """Any thread may give tasks; one thread distributes the answers. Raises what `SharedEngine` says."""

    def __init__(self, channel: Channel, on_loading: Callable[[], None]) -> None:
        self.closed = False
        self.lost = EngineLostError("the engine has stopped; the next request starts it again")
        self._channel = channel
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._mailboxes: dict[int, Mailbox[TaskUpdate | TaskAnswer]] = {}
        self._over = False
        self.ready = self._wait_until_ready(on_loading)
        threading.Thread(target=self._hand_out, name="quickfill-shared-engine", daemon=True).start()

    def messages(
        self, task: Task, cancelled: Cancellation | None
    ) -> Generator[TaskUpdate | TaskAnswer | None, None, None]:
        """Yield what comes for a task: updates, then an answer. Once `cancelled` is set the engine is told, and None
        comes before the rest. Leaving it early cancels the task.

        Raises: EngineLostError, and what the engine says about a task that it cannot do.
        """
        number, mailbox = self._open_mailbox()
        told = False
        try:
            self._send(Ask(number, task))
            if not (yield from mailbox.items(cancelled or NEVER)):
                told = True
                self._send(Cancel(number))
                yield None
                yield from mailbox.items()
        finally:
            with self._lock:
                self._mailboxes.pop(number, None)
            if not mailbox.ended and not told:
                with suppress(EngineLostError):
                    self._send(Cancel(number))

    def close(self) -> None:
        self.closed = True
        self._channel.close()

    def _open_mailbox(self) -> tuple[int, Mailbox[TaskUpdate | TaskAnswer]]:
        with self._lock:
            if self._over:
                raise self.lost
            number, mailbox = next(self._numbers), Mailbox[TaskUpdate | TaskAnswer]()
            self._mailboxes[number] = mailbox
            return number, mailbox

    def _send(self, message: ToEngine) -> None:
        body = encode(TO_ENGINE, message)
        try:
            self._channel.send(body)
        except ChannelError as error:
            raise InputError(f"the text is too long for the engine: {error}") from error
        except OSError as error:
            raise self.lost from error

    def _wait_until_ready(self, on_loading: Callable[[], None]) -> Ready:
        while (message := self._receive()) is not None:
            match message:
                case Ready():
                    return message
                case Loading():
                    on_loading()
                case TaskFailure():
                    self._channel.close()
                    raise error_of(message)
        self._channel.close()
        raise self.lost

    def _hand_out(self) -> None:
        while (message := self._receive()) is not None:
            if not isinstance(message, TaskUpdate | TaskAnswer | TaskFailure):
                continue
            with self._lock:
                mailbox = self._mailboxes.get(message.id or 0)
            match mailbox, message:
                case None, _:
                    pass  # whoever asked has left
                case mailbox, TaskFailure():
                    mailbox.end(error_of(message))
                case mailbox, TaskUpdate():
                    mailbox.put(message)
                case mailbox, TaskAnswer():
                    mailbox.put(message)
                    mailbox.end()
        self._channel.close()
        with self._lock:
            self._over = True
            for mailbox in self._mailboxes.values():
                mailbox.end(None if self.closed else self.lost)

    def _receive(self) -> ToClient | None:
        """The next message; None when there are no more, or what comes makes no sense."""
        try:
            body = self._channel.receive()
            return None if body is None else decode(TO_CLIENT, body)
        except (OSError, ChannelError):
            return None
