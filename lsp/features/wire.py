"""Between the protocol's types and ours."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from lsprotocol import types
from pydantic import ValidationError
from pygls.exceptions import JsonRpcInvalidParams

from lsp.documents import Change, Document, Position
from lsp.wire.messages import Message

AnyMessage = TypeVar("AnyMessage", bound=Message)


def position(place: types.Position) -> Position:
    return place.line, place.character


def changes(events: Iterable[types.TextDocumentContentChangeEvent]) -> list[Change]:
    return [
        Change(event.text, (position(event.range.start), position(event.range.end)))
        if isinstance(event, types.TextDocumentContentChangePartial)
        else Change(event.text)
        for event in events
    ]


def range_of(document: Document, start: int, end: int) -> types.Range:
    """The range between two offsets."""
    return types.Range(types.Position(*document.position(start)), types.Position(*document.position(end)))


def text_edit(document: Document, start: int, end: int, text: str) -> types.TextEdit:
    """`text` in the place of what is between two offsets of `document.unix`, with the document's line breaks."""
    return types.TextEdit(range_of(document.unix, start, end), text.replace("\n", document.line_break))


def parsed(kind: type[AnyMessage], params: object) -> AnyMessage:
    """Parameters of a method of our own. Raises JsonRpcInvalidParams."""
    try:
        return kind.model_validate(params)
    except ValidationError as error:
        places = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise JsonRpcInvalidParams(places) from error
