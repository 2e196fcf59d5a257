"""A connection that is closed when its client says nothing: uvicorn waits for ever for the head of a request."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


def patient_protocol(seconds: float) -> type[H11Protocol]:
    """The protocol for uvicorn, with so much time for the head of a request."""

    class PatientProtocol(H11Protocol):
        _closing: asyncio.TimerHandle | None = None

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
            super().connection_lost(exc)

        def _expect_head(self) -> None:
            self._closing = self.loop.call_later(seconds, self.transport.close)

        def _expect_nothing(self) -> None:
            if self._closing is not None:
                self._closing.cancel()
                self._closing = None

    return PatientProtocol
