"""The common part of the requests of all API families; that of their answers is in `coder.api.wire`."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Incoming(BaseModel):
    """A request's body. Unknown fields are ignored: every client sends those of its own server.

    A field that is null is absent: many clients write out every field that they know.
    """

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, body: Any) -> Any:
        return {name: value for name, value in body.items() if value is not None} if isinstance(body, dict) else body
