"""Refusals of requests, each with its HTTP status."""

from __future__ import annotations

from coder.errors import InputError, QuickfillError


class RefusedError(QuickfillError):
    """A request that is not answered. `kind` is the word for it in the answer's `error.type`."""

    status = 400
    kind = "invalid_request_error"
    retry_after: int | None = None
    """Seconds after which it may be tried again."""


class UnauthorizedError(RefusedError):
    status, kind = 401, "authentication_error"


class ForbiddenError(RefusedError):
    status, kind = 403, "permission_error"


class TooLargeError(RefusedError):
    status = 413


class SlowClientError(RefusedError):
    status = 408


class QueueFullError(RefusedError):
    status, kind = 429, "rate_limit_error"

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many requests wait already; try again later")
        self.retry_after = retry_after


class WaitedTooLongError(RefusedError):
    status, kind = 503, "overloaded_error"

    def __init__(self, retry_after: int) -> None:
        super().__init__("the request's time was over before its turn came; try again later, or allow it more time")
        self.retry_after = retry_after


class ComputedTooLongError(RefusedError):
    status, kind = 503, "overloaded_error"

    def __init__(self) -> None:
        super().__init__("the request's time was over before all was computed; allow it more time, or ask for less")


class StoppingError(RefusedError):
    status, kind, retry_after = 503, "overloaded_error", 5

    def __init__(self) -> None:
        super().__init__("the server is about to stop")


class ModelAwayError(RefusedError):
    status, kind, retry_after = 503, "overloaded_error", 5


def refusal_of(error: InputError) -> RefusedError:
    """A request that the engine cannot answer, in the engine's words."""
    return RefusedError(str(error))
