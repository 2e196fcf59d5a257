"""Requests in JSON, as the native API has them: flat, though a request nests its decoding and its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, TypeVar

from coder.api.completion import CompletionRequest, Decoding, Where
from coder.api.text_requests import ApplyRequest, EditRequest, FillRequest, RepairRequest

AnyRequest = CompletionRequest | FillRequest | RepairRequest | EditRequest | ApplyRequest

Kind = TypeVar("Kind", bound=AnyRequest)

NESTED = {"decoding": Decoding, "where": Where}


def flat(request: AnyRequest) -> dict[str, Any]:
    """Return a request's fields as plain values, those of its decoding and its place beside the others."""
    values = asdict(request)
    for name in NESTED:
        values |= values.pop(name, {})
    return values


def nested(kind: type[Kind], values: Mapping[str, Any]) -> Kind:
    """Return the request that has these fields, the reverse of `flat`. Raises TypeError for a field that it has not."""
    own = dict(values)
    wanted = {field.name for field in fields(kind)}
    for name, part in NESTED.items():
        names = {field.name for field in fields(part)} - wanted
        if name in wanted:
            own[name] = part(**{key: own.pop(key) for key in names & own.keys()})
    return kind(**own)
