"""`quickfill/status`: what runs, and how it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lsp.server import QuickfillServer


def status(ls: QuickfillServer, params: object) -> dict[str, Any]:
    return ls.session.status.model_dump(by_alias=True, mode="json")
