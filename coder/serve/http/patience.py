"""A connection that is closed when its client does not get on with it: uvicorn would wait for ever for the head of a
request, and for an answer to be taken."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


def patient_protocol(seconds: float) -> type[H11Protocol]:
    """The protocol for uvicorn, with so much time for the head of a request, and for taking what was sent."""

    class PatientProtocol(H11Protocol):
        _closing: asyncio.TimerHandle | None = None
        _aborting: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._expect_head()

        def data_received(self, data: bytes) -> None:
            if self.conn.their_state is h11.IDLE and self._closing is None:
                self._expect_head()
            super().data_received(data)
            if self.conn.their_state is not h11.IDLE:
                self._expect_nothing()

        def connection_lost(self, exc: Exception | None) -> None:
            self._expect_nothing()
            self._stop_aborting()
            super().connection_lost(exc)

        def pause_writing(self) -> None:
            super().pause_writing()
            self._aborting = self.loop.call_later(seconds, self.transport.abort)

        def resume_writing(self) -> None:
            self._stop_aborting()
            super().resume_writing()

        def _stop_aborting(self) -> None:
            if self._aborting is not None:
                self._aborting.cancel()
                self._aborting = None

        def _expect_head(self) -> None:
            self._closing = self.loop.call_later(seconds, self.transport.close)

        def _expect_nothing(self) -> None:
            if self._closing is not None:
                self._closing.cancel()
                self._closing = None

    return PatientProtocol
