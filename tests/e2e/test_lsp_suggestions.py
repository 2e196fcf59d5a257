"""What an editor gets for what it asks, from a real server with an engine that writes what it is told to."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
from lsprotocol import types

from tests.e2e.editor import PATIENCE, Editor, editor, inline_params, span

pytestmark = pytest.mark.asyncio(loop_scope="module")

LANGUAGES = {"go": "go", "js": "javascript", "ts": "typescript", "py": "python"}
"""As the protocol spells them, by the ends of files' names."""

FUNCTION = "def add(first, second):\n    \n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session(tmp_path_factory: pytest.TempPathFactory):
    async with editor(tmp_path_factory.mktemp("session"), options={"denoising": True}) as connected:
        await connected.ready()
        yield connected


async def test_ghost_text_has_a_range_and_a_command(session: Editor):
    session.open(FUNCTION)
    (item,) = await session.suggestions((1, 4))
    assert item.insert_text == "return first + second"
    assert item.range == span((1, 4), (1, 4))
    assert item.command is not None and item.command.command == "quickfill.accepted"
    suggestion, facts = cast(list[Any], item.command.arguments)
    assert isinstance(suggestion, str) and 0 < facts["probability"] < 1


async def test_typing_it_keeps_the_same_suggestion(session: Editor):
    session.open(FUNCTION)
    (before,) = await session.suggestions((1, 4))
    session.change((1, 4), (1, 4), "return f")
    (after,) = await session.suggestions((1, 12))
    assert after.insert_text == "irst + second"
    assert after.command == before.command


async def test_invoked_there_are_several(session: Editor):
    session.open("total = \n")
    items = await session.suggestions((0, 8), invoked=True)
    assert [item.insert_text for item in items] == ["sum(values)", "0", "len(values)"]


async def test_closing_brackets_on_the_line_are_replaced(session: Editor):
    session.open("print()\n")
    (item,) = await session.suggestions((0, 6))
    assert (item.insert_text, item.range) == ("total)", span((0, 6), (0, 7)))


async def test_an_entry_selected_in_the_menu_is_gone_on_from(session: Editor):
    session.open("to\n")
    selected = types.SelectedCompletionInfo(span((0, 0), (0, 2)), "total = ")
    (item,) = await session.suggestions((0, 2), selected=selected)
    assert (item.insert_text, item.range) == ("total = sum(values)", span((0, 0), (0, 2)))


@pytest.mark.parametrize("place", [(0, 3), (1, 4)])
async def test_unasked_nothing_after_a_deletion_or_inside_a_word(session: Editor, place):
    session.open("total\n    x\n")
    session.change((1, 4), (1, 5), "")
    assert await session.texts(place) == []


async def test_line_breaks_are_the_documents(session: Editor):
    session.open("import os\r\n\r\n\r\ndef add(first, second):\r\n")
    assert await session.texts((3, 23)) == ["\r\n    return first + second"]


@pytest.mark.parametrize(
    ("file", "before", "behind", "text"),
    [
        ("a.go", "func add(a int, b int) int {\n\t", "\n}\n", "sum := a + b\n\treturn sum"),
        ("a.js", "function add(a, b) {\n\t", "\n}\n", "let sum = a + b;\n\treturn sum;"),
        ("a.ts", "function add(a, b) {\n  ", "\n}\n", "let sum = a + b;\n  return sum;"),
        ("a.js", "function add(a, b) {\r\n\t", "\r\n}\r\n", "let sum = a + b;\r\n\treturn sum;"),
        ("b.py", 'print(f"hello {', '}")\n', "name"),
        ("b.py", 'print(f"hello {', '")\n', "name}"),
        ("b.js", "log(`hello {", "}`)\n", "name"),
        ("c.py", "# The sum", "\n", " of a and b"),
    ],
)
async def test_it_fits_its_place(session: Editor, file: str, before: str, behind: str, text: str):
    session.open(before + behind, f"file:///{file}", LANGUAGES[file.rpartition(".")[2]])
    place = before.count("\n"), len(before.rpartition("\n")[2])
    assert await session.texts(place, f"file:///{file}") == [text]


async def test_what_comes_too_late_for_its_request_is_told_and_had_by_who_asks_again(session: Editor):
    session.open("late = \n", "file:///late.py")
    assert await session.texts((0, 7), "file:///late.py") == []
    async with asyncio.timeout(PATIENCE):
        found = await session.found.get()
    assert (found.uri, found.version) == ("file:///late.py", 1)
    assert await session.texts((0, 7), "file:///late.py") == ["in time"]


async def test_of_a_loop_nothing_is_shown(session: Editor):
    session.open("looping = \n")
    assert await session.texts((0, 10), invoked=True) == []


async def test_a_document_that_is_not_open_has_none(session: Editor):
    assert await session.texts((0, 0), "file:///closed.py") == []
    session.open(FUNCTION, "file:///closed.py")
    session.client.text_document_did_close(
        types.DidCloseTextDocumentParams(types.TextDocumentIdentifier("file:///closed.py"))
    )
    assert await session.texts((1, 4), "file:///closed.py") == []


async def test_a_cancelled_request_is_answered_at_once_and_the_work_stops(session: Editor):
    session.open("endless = \n")
    begun = session.client.wait_for_notification("quickfill/didDenoise")
    begun = asyncio.ensure_future(begun)
    await asyncio.sleep(0)
    asking = asyncio.ensure_future(
        session.client.protocol.send_request_async(
            types.TEXT_DOCUMENT_INLINE_COMPLETION, inline_params((0, 10), invoked=True), msg_id="endless"
        )
    )
    async with asyncio.timeout(PATIENCE):
        await begun
        session.client.cancel_request(types.CancelParams("endless"))
        with pytest.raises(Exception, match="cancel") as refusal:
            await asking
    assert getattr(refusal.value, "code", None) == -32800
    # The engine answers one request at a time, so this one only comes through when the other has stopped.
    session.open(FUNCTION, "file:///next.py")
    assert await session.texts((1, 4), "file:///next.py") == ["return first + second"]


async def test_while_it_is_written_its_canvas_is_shown_to_who_wants_it(session: Editor):
    session.open("total = \n")
    update = asyncio.ensure_future(session.client.wait_for_notification("quickfill/didDenoise"))
    await asyncio.sleep(0)
    await session.suggestions((0, 8), invoked=True)
    shown = await update
    assert (shown.text, shown.maskedSpans, shown.step, shown.steps) == ("░", [[0, 1]], 1, 2)


async def test_the_cells_above_are_context(session: Editor):
    cells = [types.NotebookCell(types.NotebookCellKind.Code, f"file:///book.ipynb#{name}") for name in "abc"]
    texts = ["total = ", "# Words", ""]
    documents = [
        types.TextDocumentItem(cell.document, language, 1, text)
        for cell, text, language in zip(cells, texts, ["python", "markdown", "python"], strict=True)
    ]
    notebook = types.NotebookDocument("file:///book.ipynb", "jupyter", 1, cells[:2])
    session.client.notebook_document_did_open(types.DidOpenNotebookDocumentParams(notebook, documents[:2]))
    structure = types.NotebookDocumentCellChangeStructure(
        array=types.NotebookCellArrayChange(start=2, delete_count=0, cells=[cells[2]]), did_open=[documents[2]]
    )
    text_content = types.NotebookDocumentCellContentChanges(
        types.VersionedTextDocumentIdentifier(2, cells[0].document),
        [types.TextDocumentContentChangePartial(range=span((0, 0), (0, 8)), text="import math")],
    )
    changes = types.NotebookDocumentCellChanges(structure=structure, text_content=[text_content])
    session.client.notebook_document_did_change(
        types.DidChangeNotebookDocumentParams(
            types.VersionedNotebookDocumentIdentifier(2, notebook.uri), types.NotebookDocumentChangeEvent(cells=changes)
        )
    )
    session.open("", "file:///plain.py")
    assert await session.texts((0, 0), cells[2].document) == ["print(math.pi)"]
    assert await session.texts((0, 0), "file:///plain.py") == []


async def test_holes_are_filled_by_an_edit_of_this_version(session: Editor):
    session.open("a = \r\nb = x\r\n")
    document = types.VersionedTextDocumentIdentifier(1, "file:///a.py")
    params = {"textDocument": document, "ranges": [span((1, 4), (1, 5)), span((0, 4), (0, 4))]}
    edit = await session.request("quickfill/fill", params)
    (change,) = edit.documentChanges
    assert (change.textDocument.uri, change.textDocument.version) == ("file:///a.py", 1)
    assert [(place.range.start.line, place.newText) for place in change.edits] == [(0, "hole0"), (1, "hole1")]
    session.change((0, 0), (0, 0), "#")
    assert await session.error_of("quickfill/fill", params) == -32801


async def test_a_range_is_rewritten_by_an_edit_of_this_version(session: Editor):
    session.open("x = '😋'\r\ny = 1\r\n")
    where = {"start": {"line": 0, "character": 4}, "end": {"line": 1, "character": 1}}
    params = {"textDocument": {"uri": "file:///a.py"}, "range": where, "instruction": "one\ntwo"}
    edit = await session.request("quickfill/edit", params)
    (place,) = edit.documentChanges[0].edits
    assert place.newText == "one\r\ntwo"
    assert (place.range.start.character, place.range.end.line, place.range.end.character) == (4, 1, 1)
    assert await session.error_of("quickfill/edit", params | {"textDocument": {"uri": "file:///no.py"}}) == -32602


async def test_overlapping_holes_are_refused(session: Editor):
    session.open("abcdef\n")
    ranges = [span((0, 0), (0, 3)), span((0, 2), (0, 4))]
    assert (
        await session.error_of("quickfill/fill", {"textDocument": {"uri": "file:///a.py"}, "ranges": ranges}) == -32602
    )


async def test_copilots_notifications_are_understood(session: Editor):
    session.open(FUNCTION)
    (item,) = await session.suggestions((1, 4))
    for method in ("didShowCompletion", "didPartiallyAcceptCompletion", "didFocus"):
        params = {"item": item, "acceptedLength": 6, "textDocument": {"uri": "file:///a.py"}}
        session.client.protocol.notify(f"textDocument/{method}", params)
    session.client.protocol.notify("textDocument/didPartiallyAcceptCompletion", {"item": 7})
    assert (await session.rested()).state == "ready" and not session.errors


async def test_an_engine_that_is_lost_is_reported_once_and_replaced(tmp_path: Path):
    async with editor(tmp_path) as session:
        await session.ready()
        session.open("crash = \n")
        session.open(FUNCTION, "file:///b.py")
        assert await session.texts((0, 8)) == []
        assert len(session.errors) == 1 and "it was told to" in session.errors[0]
        assert await session.texts((1, 4), "file:///b.py", invoked=True) == ["return first + second"]
        assert (await session.rested()).state == "ready" and len(session.errors) == 1


async def test_files_that_are_excluded_have_none(tmp_path: Path):
    async with editor(
        tmp_path, options={"exclude": ["/private/"]}, workspace=["file:///one", "file:///two"]
    ) as session:
        await session.ready()
        for uri in ("file:///one/private/a.py", "file:///two/private/a.py", "file:///one/public/private.py"):
            session.open(FUNCTION, uri)
        assert await session.texts((1, 4), "file:///one/private/a.py", invoked=True) == []
        assert await session.texts((1, 4), "file:///two/private/a.py", invoked=True) == []
        assert await session.texts((1, 4), "file:///one/public/private.py") == ["return first + second"]
        gone = types.WorkspaceFoldersChangeEvent([], [types.WorkspaceFolder("file:///two", "two")])
        session.client.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(gone))
        assert await session.texts((1, 4), "file:///two/private/a.py", invoked=True) == ["return first + second"]


async def test_files_of_a_drive_are_excluded_however_it_is_spelled(tmp_path: Path):
    async with editor(tmp_path, options={"exclude": ["/private/"]}, workspace=["file:///C:/proj"]) as session:
        await session.ready()
        for uri in ("file:///c%3A/proj/private/a.py", "file:///c%3A/proj/a.py"):
            session.open(FUNCTION, uri)
        assert await session.texts((1, 4), "file:///c%3A/proj/private/a.py", invoked=True) == []
        assert await session.texts((1, 4), "file:///c%3A/proj/a.py") == ["return first + second"]


async def test_without_ghost_text_the_menu_has_the_suggestion(tmp_path: Path):
    async with editor(tmp_path, inline_completion=False) as session:
        await session.ready()
        assert session.capabilities.completion_provider is not None
        session.open(FUNCTION)
        params = types.CompletionParams(types.TextDocumentIdentifier("file:///a.py"), types.Position(1, 4))
        result = await session.request(types.TEXT_DOCUMENT_COMPLETION, params)
        (item,) = result.items
        assert (item.label, item.text_edit.new_text) == ("return first + second", "return first + second")
        session.change((1, 4), (1, 4), "ret")
        params = types.CompletionParams(types.TextDocumentIdentifier("file:///a.py"), types.Position(1, 7))
        (item,) = (await session.request(types.TEXT_DOCUMENT_COMPLETION, params)).items
        assert item.text_edit == types.TextEdit(span((1, 4), (1, 7)), "return first + second")


@pytest.mark.parametrize(
    ("encoding", "column"),
    [
        (types.PositionEncodingKind.Utf8, 20),
        (types.PositionEncodingKind.Utf16, 18),
        (types.PositionEncodingKind.Utf32, 17),
    ],
)
async def test_columns_are_counted_as_agreed(tmp_path: Path, encoding, column):
    async with editor(tmp_path, encodings=[encoding]) as session:
        assert session.capabilities.position_encoding == encoding
        await session.ready()
        session.open("x = '😋'; total = \n")
        (item,) = await session.suggestions((0, column))
        assert (item.insert_text, item.range) == ("sum(values)", span((0, column), (0, column)))
