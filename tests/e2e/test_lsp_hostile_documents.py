"""Whatever a document holds and whoever changes it meanwhile: after every answer the buffer is what the editor believes
it is, and so is the server's. The editor's side is `tests.e2e.buffers`; the engine tells a digest of what it sees."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.e2e.buffers import Buffer, Replacement, as_range
from tests.e2e.editor import PATIENCE, Editor, editor
from tests.e2e.hostile_documents import DOCUMENTS
from tests.lsp.scripted import digest

pytestmark = pytest.mark.asyncio(loop_scope="module")

TYPED = ["", "x", "😋", "\r\n", "\n", "(", "'''", "<fill>", "é\r", "\0", "    return vlaue\n"]

CONTENT_MODIFIED = -32801


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["utf-8", "utf-16", "utf-32"])
async def session(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    encodings = [types.PositionEncodingKind(request.param)]
    async with editor(tmp_path_factory.mktemp("session"), options={"nextEdit": True}, encodings=encodings) as connected:
        assert connected.capabilities.position_encoding == request.param
        await connected.ready()
        yield connected


@pytest.fixture(params=DOCUMENTS)
def buffer(request: pytest.FixtureRequest, session: Editor) -> Buffer:
    """A document that is open on both sides."""
    uri = f"file:///{request.param.replace(' ', '-')}.py"
    session.open(DOCUMENTS[request.param], uri)
    return Buffer(uri, DOCUMENTS[request.param], str(session.capabilities.position_encoding))


@pytest.fixture
def draw(buffer: Buffer) -> random.Random:
    return random.Random(buffer.uri)


async def test_a_buffer_survives_its_user(session: Editor, buffer: Buffer, draw: random.Random):
    for _ in range(12):
        type_somewhere(session, buffer, draw)
    await require_same(session, buffer)


async def test_a_buffer_survives_every_offer(session: Editor, buffer: Buffer, draw: random.Random):
    for start, end in [(0, 0), *drawn_spans(buffer, draw), (len(buffer.text), len(buffer.text))]:
        where = as_range(buffer.range(start, end))
        context = types.CodeActionContext([types.Diagnostic(where, "wrong\nhere")])
        params = types.CodeActionParams(types.TextDocumentIdentifier(buffer.uri), where, context)
        for action in await session.request(types.TEXT_DOCUMENT_CODE_ACTION, params):
            edit = (await session.request(types.CODE_ACTION_RESOLVE, action)).edit
            if edit is not None:
                buffer.replacements(edit)
    await require_same(session, buffer)


async def test_a_buffer_survives_what_it_accepts(session: Editor, buffer: Buffer, draw: random.Random):
    for _ in range(3):
        spans = drawn_spans(buffer, draw)
        ranges = [buffer.range(*span) for span in spans]
        edit = await session.request("quickfill/fill", {"textDocument": buffer.identifier, "ranges": ranges})
        places = buffer.replacements(edit)
        assert places == [(*span, f"hole{number}") for number, span in enumerate(spans)]
        send(session, buffer, places)

        (start, end), *_ = drawn_spans(buffer, draw)
        params = {"textDocument": buffer.identifier, "range": buffer.range(start, end), "instruction": "a😋"}
        places = buffer.replacements(await session.request("quickfill/edit", params))
        assert places == [(start, end, "a😋")]
        send(session, buffer, places)
    await require_same(session, buffer)


async def test_a_buffer_survives_commands_and_next_edits(session: Editor, buffer: Buffer):
    holes, before = min(100, buffer.text.count("<fill>")), len(session.edits)
    command = types.ExecuteCommandParams("quickfill.fillHoles", [{"textDocument": buffer.identifier}])
    await session.request(types.WORKSPACE_EXECUTE_COMMAND, command)
    (edit,) = session.edits[before:]
    places = buffer.replacements(edit)
    assert [buffer.text[start:end] for start, end, _ in places] == ["<fill>"] * holes
    send(session, buffer, places)

    place = {"textDocument": buffer.identifier, "position": {"line": 0, "character": 0}, "context": {"triggerKind": 1}}
    for edit in (await session.request("quickfill/nextEdit", place)).edits[:1]:
        send(session, buffer, buffer.spans([types.TextEdit(as_range(edit.range), edit.text)]))
    await require_same(session, buffer)


async def test_answers_never_race_the_user(session: Editor, buffer: Buffer, draw: random.Random):
    """What is under way while the user types is refused, or says for which version it is."""
    requests: list[tuple[int, asyncio.Future[Any]]] = []
    for _ in range(6):
        (start, end), *_ = drawn_spans(buffer, draw)
        params = {"textDocument": buffer.identifier, "range": buffer.range(start, end), "instruction": "x"}
        asking = session.client.protocol.send_request_async("quickfill/edit", params)
        requests.append((buffer.version, asyncio.ensure_future(asking)))
        await asyncio.sleep(0)  # the request leaves before what is typed
        type_somewhere(session, buffer, draw)
    for version, asking in requests:
        try:
            edit = await asyncio.wait_for(asking, PATIENCE)
        except JsonRpcException as error:
            assert error.code == CONTENT_MODIFIED
        else:
            assert edit.documentChanges[0].textDocument.version == version
    await require_same(session, buffer)


def drawn_spans(buffer: Buffer, draw: random.Random) -> list[tuple[int, int]]:
    """Up to four ranges in order, apart from each other, that break no line break in two."""
    places = sorted({buffer.whole(draw.randrange(len(buffer.text) + 1)) for _ in range(draw.randint(2, 8))})
    return list(pairwise(places))[::2] or [(places[0], places[0])]


def type_somewhere(session: Editor, buffer: Buffer, draw: random.Random) -> None:
    """Something is put in the place of a few characters."""
    start = buffer.whole(draw.randrange(len(buffer.text) + 1))
    end = max(start, buffer.whole(min(len(buffer.text), start + draw.choice([0, 0, 1, 7]))))
    send(session, buffer, [(start, end, draw.choice(TYPED))])


def send(session: Editor, buffer: Buffer, places: Sequence[Replacement]) -> None:
    """Change the buffer, the last place first, and tell the server so."""
    events = []
    for start, end, text in reversed(places):
        events.append(types.TextDocumentContentChangePartial(as_range(buffer.range(start, end)), text))
        buffer.text = buffer.text[:start] + text + buffer.text[end:]
    buffer.version += 1
    identifier = types.VersionedTextDocumentIdentifier(buffer.version, buffer.uri)
    session.client.text_document_did_change(types.DidChangeTextDocumentParams(identifier, events))


async def require_same(session: Editor, buffer: Buffer) -> None:
    """The server has the text that the editor has, but for the kind of its line breaks."""
    params = {"textDocument": buffer.identifier, "range": buffer.range(0, 0), "instruction": "digest"}
    ((_, _, seen),) = buffer.replacements(await session.request("quickfill/edit", params))
    assert seen == digest(buffer.text.replace("\r\n", "\n").replace("\r", "\n"))
