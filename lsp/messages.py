"""What is said on the wire beyond the protocol: methods of our own, and what they carry."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

STATUS = "quickfill/status"
DID_CHANGE_STATUS = "quickfill/didChangeStatus"


class Message(BaseModel):
    """Camel case on the wire. What a message holds besides is no reason to refuse it."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, populate_by_name=True)


class StatusReport(Message):
    """The answer to `quickfill/status`, and what `quickfill/didChangeStatus` says."""

    state: Literal["loading", "ready", "working", "error"]
    message: str
    model: str
    version: str | None
    runtime: dict[str, str]
    shared: bool
    process_id: int | None
