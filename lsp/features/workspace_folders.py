"""The folders of the workspace: they come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

if TYPE_CHECKING:
    from lsp.language_server import QuickfillServer


def did_change(ls: QuickfillServer, params: types.DidChangeWorkspaceFoldersParams) -> None:
    removed = {folder.uri for folder in params.event.removed}
    kept = [folder for folder in ls.session.folders if folder not in removed]
    ls.session.folders = kept + [folder.uri for folder in params.event.added if folder.uri not in kept]
