"""The common part of the requests of all API families; that of their answers is in `coder.api.wire`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from coder.diffusion.block_diffusion import known_policy

PolicyName = Annotated[str, Field(max_length=64), AfterValidator(known_policy)]
"""A decoding policy; an unknown one, or a parameter that does not fit, is refused before anything is done."""


class Incoming(BaseModel):
    """A request's body. Unknown fields are ignored: every client sends those of its own server.

    A field that is null is absent, at any depth: many clients write out every field that they know.
    """

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, body: Any) -> Any:
        return without_nulls(body)


def without_nulls(value: Any) -> Any:
    """JSON without the fields that are null. Elements of lists stay."""
    match value:
        case dict():
            return {name: without_nulls(each) for name, each in value.items() if each is not None}
        case list():
            return [without_nulls(each) for each in value]
        case _:
            return value
