"""Health and metrics of the server, for what watches over it."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST

from coder.serve.http.operations import Caller, Operation, Text
from coder.serve.http.refusals import StoppingError
from coder.serve.http.wire import Outgoing

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


async def metrics(_: None, caller: Caller) -> Text:
    """Counters for Prometheus."""
    return Text(caller.service.metrics.text(), CONTENT_TYPE_LATEST)


OPERATIONS = (
    Operation("GET", "/healthz", health, Health, FAMILY, public=True),
    Operation("GET", "/metrics", metrics, Text, FAMILY),
)
