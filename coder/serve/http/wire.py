"""The common part of the wire types of all API families."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Incoming(BaseModel):
    """A request's body. Fields that are not known here are let be: clients send each what their own server knows.

    A field that is null is absent: many clients write out every field that they know.
    """

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, body: Any) -> Any:
        return {name: value for name, value in body.items() if value is not None} if isinstance(body, dict) else body


class Outgoing(BaseModel):
    """An answer's body."""

    model_config = ConfigDict(frozen=True)


class FailureBody(Outgoing):
    """The reason why there is no answer. `code` is the HTTP status."""

    message: str
    type: str
    param: str | None = None
    code: int


class Failure(Outgoing):
    error: FailureBody
