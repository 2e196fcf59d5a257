"""Whatever an editor sends, each request has one answer and the server lives on."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsp.language_server import QuickfillServer
from lsp.server import FEATURES
from lsp.wire.client import Client
from lsp.wire.protocol import QuickfillProtocol
from tests.lsp.scripted import ScriptedEngine
from tests.lsp.wire.test_framing import json_values

URI = "file:///a.py"
numbers = st.integers(-1, 3) | st.just(2**31)
positions = st.fixed_dictionaries({"line": numbers, "character": numbers})
ranges = st.fixed_dictionaries({"start": positions, "end": positions})
texts = st.sampled_from(["", "total = ", "\r\n", "def f():\n    ", "😋\ud800", "print()"])
documents = st.fixed_dictionaries({"uri": st.sampled_from([URI, "", "file:///other", "%%%"]), "version": numbers})
parameters = st.fixed_dictionaries(
    {},
    optional={
        "textDocument": documents
        | st.fixed_dictionaries({"uri": st.just(URI), "languageId": texts, "version": numbers, "text": texts}),
        "position": positions,
        "context": st.fixed_dictionaries({"triggerKind": st.sampled_from([1, 2, 3])}),
        "contentChanges": st.lists(
            st.fixed_dictionaries({"text": texts}, optional={"range": ranges}) | json_values, max_size=3
        ),
        "range": ranges,
        "ranges": st.lists(ranges, max_size=3),
        "settings": json_values,
        "command": st.text(max_size=5),
        "item": json_values,
        "event": st.fixed_dictionaries({"added": st.just([]), "removed": st.just([])}),
        "id": numbers | texts,
    },
)
methods = st.sampled_from([*FEATURES, "$/cancelRequest", "$/setTrace", "workspace/unheardOf", "textDocument/hover"])
messages = json_values | st.fixed_dictionaries(
    {"jsonrpc": st.sampled_from(["2.0", "2.0", "2.0", "1.0"]), "method": methods},
    optional={"id": st.integers(0, 9) | st.text(max_size=2) | json_values, "params": parameters | json_values},
)


class Outgoing:
    """What the server writes."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.written = asyncio.Event()

    def write(self, data: bytes) -> None:
        message = json.loads(data.partition(b"\r\n\r\n")[2])
        if "method" not in message:
            self.answers.append(message["id"])
        self.written.set()

    def close(self) -> None: ...


async def answers_to(sent: list[Any]) -> tuple[list[Any], list[Any]]:
    server = QuickfillServer(Client(), FEATURES, lambda settings: ScriptedEngine())
    protocol = cast(QuickfillProtocol, server.protocol)
    outgoing = Outgoing()
    protocol.set_writer(outgoing)
    asked = []
    for message in [*sent, {"jsonrpc": "2.0", "id": "last", "method": "quickfill/status"}]:
        protocol.receive(message)
        if isinstance(message, dict) and isinstance(message.get("id"), int | str) and "method" in message:
            asked.append(message["id"])
        elif not isinstance(message, dict):
            asked.append(None)
        await asyncio.sleep(0)
    async with asyncio.timeout(20):
        while len(outgoing.answers) < len(asked):
            outgoing.written.clear()
            await outgoing.written.wait()
    server.session.close()
    return asked, outgoing.answers


@pytest.mark.slow
@settings(max_examples=100)
@given(st.lists(messages, max_size=8).filter(lambda sent: len(set(ids(sent))) == len(ids(sent))))
def test_each_request_has_one_answer(sent):
    asked, answers = asyncio.run(answers_to(sent))
    assert sorted(map(str, answers)) == sorted(map(str, asked))


def ids(sent: list[Any]) -> list[str]:
    return [str(message["id"]) for message in sent if isinstance(message, dict) and "id" in message]
