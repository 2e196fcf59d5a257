"""`quickfill lsp` with real models: a tiny one for every method, the embedded one for what a user sees."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from lsprotocol import types

from tests.e2e.buffers import Buffer
from tests.e2e.editor import PATIENCE, QUICKFILL, editor, inline_params, span
from tests.tiny import write_tiny_checkpoint

pytestmark = pytest.mark.asyncio

READ = '''"""Read and write text files."""

from pathlib import Path


def write_text(path: Path, text: str) -> None:
    with path.open("w") as file:
        file.write(text)


def read_text(path: Path) -> str:
    with path.open() as file:
        return
'''


async def test_every_method_with_a_model_of_no_wits(tmp_path: Path):
    model = str(write_tiny_checkpoint(tmp_path / "tiny"))
    options = {"model": model, "runtime": "onnx", "gate": 0, "denoising": True}
    async with editor(tmp_path, QUICKFILL, options) as session:
        await session.ready()
        status = await session.rested()
        assert (status.state, status.model, status.version) == ("ready", model, "tiny")
        session.open("def add(first, second):\n    pass\n")
        for invoked in (False, True):
            for item in await session.suggestions((1, 8), invoked=invoked):
                assert isinstance(item.insert_text, str) and item.insert_text.strip()
                assert "<|" not in item.insert_text
        params = {"textDocument": {"uri": "file:///a.py"}, "ranges": [span((0, 8), (0, 13)), span((1, 8), (1, 8))]}
        edit = await session.request("quickfill/fill", params)
        assert len(edit.documentChanges[0].edits) == 2
        params = {"textDocument": {"uri": "file:///a.py"}, "range": span((1, 4), (1, 8)), "denoising": True}
        await session.request("quickfill/edit", params)
        refused = await session.refusal_of("quickfill/edit", params | {"range": span((0, 0), (0, 10))})
        assert "has not learned to rewrite code" in refused.message
        async with asyncio.timeout(PATIENCE):
            await session.updated.wait()
        assert session.updates[-1].textDocument.uri == "file:///a.py"
        assert not session.errors
        assert await session.leave() == 0


async def test_a_model_that_is_not_there_is_said_once(tmp_path: Path):
    async with editor(tmp_path, QUICKFILL, {"model": str(tmp_path / "missing")}) as session:
        session.open("x = 1\n")
        assert await session.texts((0, 5), invoked=True) == []
        assert await session.texts((0, 5)) == []
        assert len(session.errors) == 1 and "missing" in session.errors[0]
        assert (await session.status()).state == "error"
        assert await session.error_of("quickfill/fill", fill_params()) == -32803
        model = str(write_tiny_checkpoint(tmp_path / "tiny"))
        changed = types.DidChangeConfigurationParams({"quickfill": {"model": model, "runtime": "onnx"}})
        session.client.workspace_did_change_configuration(changed)
        await session.texts((0, 5), invoked=True)
        assert (await session.status()).model == model and len(session.errors) == 1


@pytest.mark.slow
async def test_the_embedded_model_completes_a_line_and_a_block(tmp_path: Path):
    async with editor(tmp_path, QUICKFILL, {"budgetMs": 60_000, "gate": 0}) as session:
        await session.ready()
        session.open(READ)
        (line,) = await session.texts((12, 14))
        assert line == " file.read()"
        session.open("def add(first, second):\n    \n\n\ndef main():\n    print(add(1, 2))\n", "file:///b.py")
        (block,) = await session.texts((1, 4), "file:///b.py")
        assert block.startswith("return") and "def" not in block
        session.change((1, 4), (1, 4), block[:6], "file:///b.py")
        assert await session.texts((1, 10), "file:///b.py") == [block[6:]]


@pytest.mark.slow
async def test_five_hundred_edits_with_requests_under_way_leave_the_buffer_exact(tmp_path: Path):
    async with editor(tmp_path, QUICKFILL, {"gate": 0}) as session:
        await session.ready()
        session.open("", "file:///c.py")
        requests = []
        for number in range(500):
            place = (number // 10, number % 10)
            session.change(place, place, "\n" if number % 10 == 9 else "x", "file:///c.py")
            asked = inline_params(place, "file:///c.py")
            sending = session.client.protocol.send_request(types.TEXT_DOCUMENT_INLINE_COMPLETION, asked)
            requests.append(sending)
        last = await session.suggestions((50, 0), "file:///c.py")
        assert isinstance(last, list)
        assert all(request.done() for request in requests)
        assert not session.errors


def fill_params() -> dict[str, object]:
    return {"textDocument": {"uri": "file:///a.py"}, "ranges": [span((0, 0), (0, 0))]}


@pytest.mark.slow
async def test_the_embedded_model_repairs_a_name_and_fills_a_hole(tmp_path: Path):
    async with editor(tmp_path, QUICKFILL, {"editBudgetMs": 600_000}) as session:
        await session.ready()
        session.open("def double(value):\n    return 2 * vlaue\n")
        params = types.CodeActionParams(
            types.TextDocumentIdentifier("file:///a.py"), span((1, 15), (1, 15)), types.CodeActionContext([])
        )
        repair, *_ = await session.request(types.TEXT_DOCUMENT_CODE_ACTION, params)
        (change,) = (await session.request(types.CODE_ACTION_RESOLVE, repair)).edit.document_changes
        buffer = Buffer("file:///a.py", "def double(value):\n    return 2 * vlaue\n")
        buffer.apply(change.edits)
        assert buffer.text == "def double(value):\n    return 2 * value\n"

        session.open("def add(first, second):\n    return <fill>\n\n\nprint(add(1, 2))\n", "file:///b.py")
        command = types.ExecuteCommandParams("quickfill.fillHoles", [{"textDocument": {"uri": "file:///b.py"}}])
        await session.request(types.WORKSPACE_EXECUTE_COMMAND, command)
        (edit,) = session.edits
        assert [place.new_text for place in edit.document_changes[0].edits] == ["first + second"]


@pytest.mark.slow
async def test_the_embedded_model_repairs_several_defects_at_once(tmp_path: Path):
    broken = "def f(xs)\n    for x in xs\n        print(x)\n    retrun xs\n"
    async with editor(tmp_path, QUICKFILL, {"editBudgetMs": 600_000}) as session:
        await session.ready()
        session.open(broken)
        params = types.CodeActionParams(
            types.TextDocumentIdentifier("file:///a.py"), span((0, 4), (0, 4)), types.CodeActionContext([])
        )
        repair, *_ = await session.request(types.TEXT_DOCUMENT_CODE_ACTION, params)
        (change,) = (await session.request(types.CODE_ACTION_RESOLVE, repair)).edit.document_changes
        buffer = Buffer("file:///a.py", broken)
        buffer.apply(change.edits)
        assert buffer.text == "def f(xs):\n    for x in xs:\n        print(x)\n    return xs\n"
