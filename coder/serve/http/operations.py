"""An operation of an API: what it takes, what it gives, who answers it, and the HTTP around that."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from coder.api.wire import Failure, FailureBody
from coder.errors import InputError, UnreachableError
from coder.serve.http.refusals import ModelAwayError, RefusedError, SlowClientError, TooLargeError, refusal_of
from coder.serve.service import Service
from coder.serve.tasks import while_connected

log = logging.getLogger(__name__)

Chunks = AsyncGenerator[BaseModel, None]
"""Parts of an answer that is sent as server-sent events."""


@dataclass(frozen=True)
class PlainText:
    """An answer that is no JSON."""

    content: bytes
    media_type: str


PIECE = 1 << 16
"""Bytes of an answer that are handed over at once."""

PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True)
class Caller:
    """A client's connection and the service that answers it.

    Attributes:
        client: a name to be fair by: the address, the program, and the user where a request names one.
    """

    service: Service
    client: str


@dataclass(frozen=True)
class Operation:
    """One path and method.

    Attributes:
        handle: from a body, which is None where `body` is, to an answer, or to the chunks of a streamed one.
        body, answer, chunk: the wire types.
        ends_with: a last line of data behind a stream's chunks.
        family: the API that it belongs to, a heading in the documentation.
        public: answered without a key.
    """

    method: str
    path: str
    handle: Callable[[Any, Caller], Awaitable[BaseModel | PlainText | Chunks]]
    answer: type[BaseModel | PlainText]
    family: str
    body: type[BaseModel] | None = None
    chunk: type[BaseModel] | None = None
    ends_with: str | None = "[DONE]"
    public: bool = False

    @property
    def name(self) -> str:
        """Method and path as one word."""
        return "_".join([self.method.lower(), *self.path.strip("/").split("/")])

    @property
    def summary(self) -> str:
        """The first paragraph of the handler's docstring."""
        return " ".join((self.handle.__doc__ or "").partition("\n\n")[0].split())

    @property
    def description(self) -> str:
        """The rest of it."""
        return inspect.cleandoc(self.handle.__doc__ or "").partition("\n\n")[2]

    def route(self, service: Service) -> Route:
        return Route(self.path, Endpoint(self, service), methods=[self.method], name=self.path)


class Endpoint:
    """Answers one operation as an ASGI application."""

    def __init__(self, operation: Operation, service: Service) -> None:
        self._operation = operation
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        began = time.monotonic()
        status = 499  # the client left
        try:
            body = await self._body(request)
            status = await while_connected(receive, self._respond(request, body, send)) or status
        except ClientDisconnect:
            pass  # before its request was all there
        except Exception as error:
            refusal = as_refusal(error)
            if refusal is None:
                log.exception("%s failed", self._operation.path)
            response = failure_response(refusal)
            status = response.status_code
            await response(scope, receive, send)
        finally:
            self._service.metrics.requests.labels(self._operation.path, status).inc()
            self._service.metrics.seconds.labels(self._operation.path).observe(time.monotonic() - began)

    async def _body(self, request: Request) -> BaseModel | None:
        kind = self._operation.body
        if kind is None:
            return None
        settings = self._service.settings
        content = bytearray()
        try:
            async with asyncio.timeout(settings.stall):
                async for part in request.stream():
                    content += part
                    if len(content) > settings.most_body_bytes:
                        raise TooLargeError(f"a request may have {settings.most_body_bytes} bytes; send less text")
        except TimeoutError:
            raise SlowClientError(f"the request did not come within {settings.stall:g} seconds") from None
        return kind.model_validate_json(bytes(content))

    async def _respond(self, request: Request, body: BaseModel | None, send: Send) -> int:
        """Send the answer; its status."""
        caller = Caller(self._service, client_name(request, body))
        answer = await self._operation.handle(body, caller)
        if isinstance(answer, BaseModel):
            answer = PlainText(answer.model_dump_json(by_alias=True).encode(), "application/json")
        if isinstance(answer, PlainText):
            await self._send(answer, send)
        else:
            await self._stream(answer, send)
        return 200

    async def _send(self, text: PlainText, send: Send) -> None:
        """Send the body in pieces, each when the client has taken those before."""
        length = str(len(text.content))
        await send(start({"Content-Type": text.media_type, "Content-Length": length}))
        for place in range(0, len(text.content), PIECE):
            piece = text.content[place : place + PIECE]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _stream(self, chunks: Chunks, send: Send) -> None:
        """Send events as they come. The first one is waited for before anything is sent: a refusal comes instead."""
        async with aclosing(chunks):
            chunk = await anext(chunks, None)
            await send(start({"Content-Type": "text/event-stream; charset=utf-8"}))
            try:
                while chunk is not None:
                    await send(event(chunk.model_dump_json(by_alias=True)))
                    chunk = await anext(chunks, None)
            except Exception as error:
                refusal = as_refusal(error)
                if refusal is None:
                    log.exception("%s failed in the middle of an answer", self._operation.path)
                await send(event(failure(refusal).model_dump_json()))
            if self._operation.ends_with is not None:
                await send(event(self._operation.ends_with))
            await send({"type": "http.response.body", "body": b""})


def start(headers: dict[str, str]) -> dict[str, object]:
    """The head of a successful response."""
    encoded = [(name.lower().encode(), value.encode()) for name, value in (headers | PRIVATE).items()]
    return {"type": "http.response.start", "status": 200, "headers": encoded}


def event(data: str) -> dict[str, object]:
    """A part of a response: one server-sent event."""
    return {"type": "http.response.body", "body": f"data: {data}\n\n".encode(), "more_body": True}


def client_name(request: Request, body: BaseModel | None) -> str:
    address = request.client.host if request.client else ""
    user = getattr(body, "user", None)
    return "\n".join([address, request.headers.get("user-agent", ""), user if isinstance(user, str) else ""])


def as_refusal(error: Exception) -> RefusedError | None:
    """Return the refusal that an error means to the client; None for a mistake of our own."""
    match error:
        case RefusedError():
            return error
        case InputError():
            return refusal_of(error)
        case UnreachableError():
            return ModelAwayError(str(error))
        case ValidationError():
            first = error.errors(include_url=False)[0]
            place, message = ".".join(map(str, first["loc"])), first["msg"]
            return RefusedError(f"{place}: {message}".replace(": Input should", " should") if place else message)
    return None


def failure(refusal: RefusedError | None) -> Failure:
    if refusal is None:
        return Failure(error=FailureBody(message="the server failed; its log says why", type="server_error", code=500))
    return Failure(error=FailureBody(message=str(refusal), type=refusal.kind, code=refusal.status))


def failure_response(refusal: RefusedError | None) -> JSONResponse:
    headers = dict(PRIVATE)
    if refusal is not None and refusal.retry_after is not None:
        headers["Retry-After"] = str(refusal.retry_after)
    if refusal is not None and refusal.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(failure(refusal).model_dump(), refusal.status if refusal else 500, headers)
