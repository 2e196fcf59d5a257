"""Health and metrics of the server, for what watches over it."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST

from coder.api.wire import Outgoing
from coder.serve.http.operations import Caller, Operation, PlainText
from coder.serve.http.refusals import StoppingError

FAMILY = "Status"


class Health(Outgoing):
    """`status` is `ok`."""

    status: str
    model: str


async def health(_: None, caller: Caller) -> Health:
    """Return whether requests are answered: 503 once the server is about to stop."""
    if caller.service.stopping:
        raise StoppingError
    return Health(status="ok", model=caller.service.model)


async def metrics(_: None, caller: Caller) -> PlainText:
    """Counters for Prometheus."""
    return PlainText(caller.service.metrics.text(), CONTENT_TYPE_LATEST)


OPERATIONS = (
    Operation("GET", "/healthz", health, Health, FAMILY, public=True),
    Operation("GET", "/metrics", metrics, PlainText, FAMILY),
)
