"""What an editor is offered to change, and what it gets: from a real server whose engine is told what to write."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types

from tests.e2e.buffers import Buffer
from tests.e2e.editor import PATIENCE, SCRIPTED, Editor, editor, span

pytestmark = pytest.mark.asyncio(loop_scope="module")

URI = "file:///a.py"
FUNCTION = "import os\n\n\ndef mean(values):\n    return sum(values) / <fill>\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session(tmp_path_factory: pytest.TempPathFactory):
    async with editor(tmp_path_factory.mktemp("session")) as connected:
        await connected.ready()
        yield connected


async def actions(
    session: Editor,
    where: types.Range,
    diagnostics: list[types.Diagnostic] | None = None,
    only: list[str] | None = None,
) -> list[Any]:
    context = types.CodeActionContext(diagnostics or [], only=only)
    params = types.CodeActionParams(types.TextDocumentIdentifier(URI), where, context)
    return await session.request(types.TEXT_DOCUMENT_CODE_ACTION, params)


async def resolved(session: Editor, action: types.CodeAction) -> Any:
    return await session.request(types.CODE_ACTION_RESOLVE, action)


async def test_what_fits_a_place_is_offered(session: Editor):
    session.open(FUNCTION)
    found = await actions(session, span((4, 4), (4, 4)))
    assert [(action.title, action.kind) for action in found] == [
        ("Quickfill: Rewrite mean", "refactor.rewrite.quickfill.block"),
        ("Quickfill: Write the docstring of mean", "refactor.rewrite.quickfill.docstring"),
        ("Quickfill: Fill the hole", "refactor.rewrite.quickfill.fill"),
    ]
    assert all(action.edit is None and action.command is None for action in found)


@pytest.mark.parametrize(
    ("only", "count"),
    [(["refactor"], 3), (["refactor.rewrite.quickfill.fill"], 1), (["quickfix"], 0), (["refactor.rewrite.quick"], 0)],
)
async def test_only_kinds_that_are_asked_for_are_offered(session: Editor, only, count):
    session.open(FUNCTION)
    assert len(await actions(session, span((4, 4), (4, 4)), only=only)) == count


async def test_a_chosen_action_gets_an_edit_of_its_version_with_a_label(session: Editor):
    session.open(FUNCTION)
    (fill,) = await actions(session, span((0, 0), (0, 0)), only=["refactor.rewrite.quickfill.fill"])
    edit = (await resolved(session, fill)).edit
    buffer = Buffer(URI, FUNCTION)
    buffer.apply_workspace_edit(edit)
    assert buffer.text == FUNCTION.replace("<fill>", "hole0")
    assert edit.change_annotations["quickfill"].label == "Quickfill: Fill the hole"
    assert edit.document_changes[0].edits[0].annotation_id == "quickfill"


async def test_an_action_on_a_document_that_has_changed_since_is_refused(session: Editor):
    session.open(FUNCTION)
    (fill,) = await actions(session, span((0, 0), (0, 0)), only=["refactor.rewrite.quickfill.fill"])
    session.change((0, 0), (0, 0), "#")
    assert await session.error_of(types.CODE_ACTION_RESOLVE, fill) == -32801


async def test_an_action_for_which_nothing_is_found_says_so(session: Editor):
    session.open(FUNCTION)
    (rewrite, *_) = await actions(session, span((3, 0), (4, 30)), only=["refactor.rewrite.quickfill.block"])
    before = len(session.notes)
    action = await resolved(session, rewrite)
    assert action.edit is None and action.disabled.reason == "nothing better was found"
    assert action.data is None
    assert len(session.notes) == before + 1


@pytest.mark.parametrize("diagnosed", [True, False])
async def test_what_is_wrong_is_repaired(session: Editor, diagnosed):
    session.open("def f(value):\n    return vlaue\n")
    found = [types.Diagnostic(span((1, 11), (1, 16)), 'name "vlaue" is not defined')] if diagnosed else []
    (repair,) = await actions(session, span((1, 12), (1, 12)), found, only=["quickfix"])
    assert repair.kind == "quickfix.quickfill"
    edit = (await resolved(session, repair)).edit
    (place,) = edit.document_changes[0].edits
    assert (place.range, place.new_text) == (span((1, 11), (1, 16)), "value")


async def test_hints_are_nothing_to_repair(session: Editor):
    session.open("def f(value):\n    return value\n")
    hint = types.Diagnostic(span((1, 11), (1, 16)), "could be shorter", severity=types.DiagnosticSeverity.Hint)
    assert await actions(session, span((1, 12), (1, 12)), [hint], only=["quickfix"]) == ()


@pytest.mark.parametrize(
    "data",
    [
        None,
        7,
        {"kind": "burn"},
        {"kind": "fill", "textDocument": {"uri": URI}, "ranges": []},
        {"kind": "rewrite", "textDocument": {"uri": "file:///not-open.py"}, "ranges": [{}]},
    ],
)
async def test_an_action_that_nobody_offered_is_refused(session: Editor, data):
    session.open(FUNCTION)
    action = types.CodeAction("Quickfill: do something", data=data)
    assert await session.error_of(types.CODE_ACTION_RESOLVE, action) == -32602
    assert (await session.rested()).state == "ready"


def command(name: str, *arguments: Any) -> types.ExecuteCommandParams:
    return types.ExecuteCommandParams(f"quickfill.{name}", list(arguments))


async def run(session: Editor, name: str, *arguments: Any) -> Any:
    """The one edit that a command leads to."""
    before = len(session.edits)
    await session.request(types.WORKSPACE_EXECUTE_COMMAND, command(name, *arguments))
    (edit,) = session.edits[before:]
    return edit


async def test_a_command_fills_all_holes(session: Editor):
    text = "a = '<fill>'\r\nb = <fill> + 1\r\n"
    session.open(text)
    buffer = Buffer(URI, text)
    buffer.apply_workspace_edit(await run(session, "fillHoles", {"textDocument": {"uri": URI}}))
    assert buffer.text == "a = 'hole0'\r\nb = hole1 + 1\r\n"


async def test_what_the_editor_does_not_apply_is_kept_for_the_same_command(tmp_path: Path):
    fill = {"textDocument": {"uri": URI}}
    async with editor(tmp_path) as session:
        session.applies = False
        states: list[str] = []
        session.client.feature("quickfill/didChangeStatus")(lambda status: states.append(status.state))
        session.open("a = <fill>\n")
        refused = await run(session, "fillHoles", fill)
        assert "run the command again" in session.warnings[-1]
        assert await run(session, "fillHoles", fill) == refused
        assert states.count("working") == 1

        session.change((0, 0), (0, 0), "# ")
        assert await run(session, "fillHoles", fill) != refused
        assert states.count("working") == 2


async def test_a_command_rewrites_a_range_as_an_instruction_says(session: Editor):
    session.open("def f():\n    x = 1\n")
    where = {"start": {"line": 1, "character": 4}, "end": {"line": 1, "character": 9}}
    place = {"textDocument": {"uri": URI, "version": 1}, "range": where, "instruction": "two"}
    edit = await run(session, "rewrite", place)
    assert edit.document_changes[0].edits[0].new_text == "two"


async def test_a_command_with_an_instruction_alone_is_about_the_last_place(session: Editor):
    session.open("def f():\n    x = 1\n")
    await actions(session, span((1, 4), (1, 9)))
    edit = await run(session, "rewrite", "add", "types")
    (place,) = edit.document_changes[0].edits
    assert (place.range, place.new_text) == (span((1, 4), (1, 9)), "add types")


async def test_to_rewrite_a_selected_hole_is_to_fill_it(session: Editor):
    session.open("a = 1\nb = f(<fill>, <fill>)\n")
    selected = span((1, 6), (1, 13))  # with the blank in front of it, or the bracket, it is another selection
    hole = span((1, 6), (1, 12))
    (rewrite,) = (await actions(session, hole, only=["refactor.rewrite.quickfill.block"]))[:1]
    edit = (await resolved(session, rewrite)).edit
    assert [(place.range, place.new_text) for place in edit.document_changes[0].edits] == [(hole, "hole0")]

    session.updated.clear()
    params = {"textDocument": {"uri": URI}, "range": hole, "denoising": True}
    answer = await session.request("quickfill/edit", params)
    assert [place.newText for place in answer.documentChanges[0].edits] == ["hole0"]
    async with asyncio.timeout(PATIENCE):
        await session.updated.wait()
    assert session.updates[-1].text == "hole░"
    assert await session.request("quickfill/edit", params | {"range": selected}) is None


async def test_a_command_writes_a_docstring(session: Editor):
    session.open("def f():\n    x = 1\n")
    edit = await run(session, "writeDocstring", {"textDocument": {"uri": URI}, "position": {"line": 1, "character": 5}})
    assert edit.document_changes[0].edits[0].new_text == "Write the docstring."


async def test_a_command_repairs(session: Editor):
    session.open("def f(value):\n    return vlaue\n")
    place = {"textDocument": {"uri": URI}, "position": {"line": 1, "character": 14}}
    (edit,) = (await run(session, "repair", place)).document_changes[0].edits
    assert edit.new_text == "value"


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("burn", [], -32602),
        ("rewrite", [7], -32602),
        ("rewrite", [{"range": "all"}], -32602),
        ("rewrite", [{"textDocument": {"uri": "file:///not-open.py"}}], -32602),
        ("rewrite", [{"textDocument": {"uri": URI, "version": 0}}], -32801),
        ("writeDocstring", [{"textDocument": {"uri": URI}, "position": {"line": 0, "character": 0}}], -32803),
        ("fillHoles", [{"textDocument": {"uri": URI}}], -32803),
    ],
)
async def test_a_command_that_makes_no_sense_is_refused(session: Editor, name, arguments, code):
    session.open("x = 1\n")
    before = len(session.edits)
    assert await session.error_of(types.WORKSPACE_EXECUTE_COMMAND, command(name, *arguments)) == code
    assert len(session.edits) == before


async def test_an_editor_that_knows_little_gets_commands_and_plain_edits(tmp_path: Path):
    async with editor(tmp_path, plain_edits=True) as session:
        await session.ready()
        session.open(FUNCTION)
        found = await actions(session, span((4, 4), (4, 4)))
        assert [action.command for action in found] == [
            "quickfill.rewrite",
            "quickfill.writeDocstring",
            "quickfill.fillHoles",
        ]
        fill = found[-1]
        await session.request(types.WORKSPACE_EXECUTE_COMMAND, types.ExecuteCommandParams(fill.command, fill.arguments))
        (edit,) = session.edits
        assert edit.document_changes is None
        assert [place.new_text for place in edit.changes[URI]] == ["hole0"]


async def test_holes_and_rewrites_are_shown_while_they_are_written(session: Editor):
    session.open("a = 1\nb = '😋' + x\n")
    document = {"uri": URI, "version": 1}
    holes = [span((1, 11), (1, 12)), span((0, 4), (0, 5))]
    params = {"textDocument": document, "ranges": holes, "denoising": True, "workDoneToken": "both"}
    await session.request("quickfill/fill", params)
    async with asyncio.timeout(PATIENCE):
        await session.updated.wait()
    update = session.updates[-1]
    assert (update.id, update.text, update.step, update.steps) == ("both", "░\nb = '😋' + hole░", 1, 3)
    assert update.maskedSpans == [[0, 1], [17, 18]]
    assert (update.range.start.line, update.range.end.line, update.textDocument.version) == (0, 1, 1)
    assert [(hole.text, hole.maskedSpans) for hole in update.holes] == [("hole░", [[4, 5]]), ("░", [[0, 1]])]

    session.updated.clear()
    where = span((1, 4), (1, 12))
    await session.request(
        "quickfill/edit", {"textDocument": document, "range": where, "instruction": "yes", "denoising": True}
    )
    async with asyncio.timeout(PATIENCE):
        await session.updated.wait()
    update = session.updates[-1]
    assert (update.text, update.maskedSpans, update.holes) == ("y░!", [[1, 2]], [])
    assert update.range.start.character == 4


async def test_without_being_asked_nothing_is_shown(session: Editor):
    session.open("a = 1\n")
    before = len(session.updates)
    params = {"textDocument": {"uri": URI}, "range": span((0, 4), (0, 5)), "instruction": "2"}
    await session.request("quickfill/edit", params)
    await session.status()  # whatever was sent before this answer has arrived with it
    assert len(session.updates) == before


async def test_a_cancelled_rewrite_is_answered_at_once_and_its_work_stops(session: Editor):
    session.open("a = 1\n")
    params = {"textDocument": {"uri": URI}, "range": span((0, 4), (0, 5)), "denoising": True}
    session.updated.clear()
    asking = asyncio.ensure_future(
        session.client.protocol.send_request_async(
            "quickfill/edit", params | {"instruction": "endless"}, msg_id="endless rewrite"
        )
    )
    async with asyncio.timeout(PATIENCE):
        await session.updated.wait()
        session.client.cancel_request(types.CancelParams("endless rewrite"))
        with pytest.raises(Exception, match="cancel") as refusal:
            await asking
        assert getattr(refusal.value, "code", None) == -32800
        while (await session.status()).state != "ready":
            pass  # it is again, once the pass under way has ended


async def test_what_takes_too_long_is_ended_by_the_budget(session: Editor):
    session.open("a = 1\n")
    params = {"textDocument": {"uri": URI}, "range": span((0, 4), (0, 5)), "instruction": "deadline"}
    edit = await session.request("quickfill/edit", params)
    assert edit.documentChanges[0].edits[0].newText == "20000"


async def test_an_answer_that_cannot_be_used_is_an_error_with_the_reason(session: Editor):
    session.open("a = 1\n")
    params = {"textDocument": {"uri": URI}, "range": span((0, 4), (0, 5)), "instruction": "too long"}
    with pytest.raises(Exception, match="nothing is changed: time was up"):
        await session.request("quickfill/edit", params)


async def test_nothing_better_is_null(session: Editor):
    session.open("a = 1\n")
    params = {"textDocument": {"uri": URI}, "range": span((0, 4), (0, 5))}
    assert await session.request("quickfill/edit", params) is None


async def test_a_model_that_cannot_rewrite_is_neither_offered_nor_asked_for_it(tmp_path: Path):
    async with editor(tmp_path, (*SCRIPTED, "unable")) as session:
        await session.ready()
        session.open(FUNCTION.replace("<fill>", "len(values)"))
        for place in (span((4, 4), (4, 4)), span((3, 0), (4, 31))):
            assert [action.title for action in await actions(session, place)] == [
                "Quickfill: Write the docstring of mean"
            ]
        lines = {"start": {"line": 3, "character": 0}, "end": {"line": 5, "character": 0}}
        place = {"textDocument": {"uri": URI}, "range": lines}
        for method, params in (
            ("quickfill/edit", place | {"instruction": "use statistics"}),
            (types.WORKSPACE_EXECUTE_COMMAND, types.ExecuteCommandParams("quickfill.rewrite", ["use statistics"])),
        ):
            error = await session.refusal_of(method, params)
            assert error.code == -32803
            assert "has not learned to rewrite code" in error.message
        assert not session.edits
