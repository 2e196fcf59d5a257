"""The server of a language, as far as it must not be in Quickfill's way: `python other_server.py`."""

from __future__ import annotations

from lsprotocol import types
from pygls.lsp.server import LanguageServer

server = LanguageServer("other", "1")


@server.feature(types.TEXT_DOCUMENT_HOVER)
def hover(params: types.HoverParams) -> types.Hover:
    return types.Hover("the other one's")


@server.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(resolve_provider=True))
def code_action(params: types.CodeActionParams) -> list[types.CodeAction]:
    return [types.CodeAction("Other: sign", types.CodeActionKind.Refactor, data=params.text_document.uri)]


@server.feature(types.CODE_ACTION_RESOLVE)
def resolve(action: types.CodeAction) -> types.CodeAction:
    beginning = types.Range(types.Position(0, 0), types.Position(0, 0))
    assert isinstance(action.data, str), "this is not mine"
    action.edit = types.WorkspaceEdit({action.data: [types.TextEdit(beginning, "# signed\n")]})
    return action


if __name__ == "__main__":
    server.start_io()
