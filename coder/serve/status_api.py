"""What watches over the server ask: whether it is well, and how it does."""

from __future__ import annotations

from coder.serve.operations import Caller, Operation
from coder.serve.refusals import StoppingError
from coder.serve.wire import Outgoing

FAMILY = "Status"


class Health(Outgoing):
    """`status` is `ok`."""

    status: str
    model: str


async def health(_: None, caller: Caller) -> Health:
    """Whether requests are answered: 503 once the server is about to stop."""
    if caller.service.stopping:
        raise StoppingError
    return Health(status="ok", model=caller.service.model)


OPERATIONS = (
    Operation("GET", "/healthz", health, Health, FAMILY, public=True),
    Operation("GET", "/health", health, Health, FAMILY, public=True),
)
