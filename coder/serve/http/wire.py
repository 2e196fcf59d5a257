"""What the wire types of all API families have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Incoming(BaseModel):
    """A request's body. Fields that are not known here are let be: clients send each what their own server knows."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)


class Outgoing(BaseModel):
    """An answer's body."""

    model_config = ConfigDict(frozen=True)


class FailureBody(Outgoing):
    """Why there is no answer. `code` is the HTTP status."""

    message: str
    type: str
    param: str | None = None
    code: int


class Failure(Outgoing):
    error: FailureBody
