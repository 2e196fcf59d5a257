"""`quickfill/status`: what runs, and how it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lsp.server import QuickfillServer


def status(ls: QuickfillServer, params: object) -> dict[str, object]:
    return ls.session.status.to_json()
