"""Some rows of the table of doors, with the embedded model: the same text at each."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.doors import LSP_SETTINGS, PLACES, command_line, infill, language_server, openai, serving
from benchmarks.lsp_editor import lsp_editor
from coder.engine.engine import Engine

pytestmark = pytest.mark.asyncio

FILES = ("tabs.py", "add.ts", "format.py", "call.py")  # a new file has a name only where the API has one


@pytest.mark.slow
async def test_every_door_gives_the_same_answer(tmp_path: Path):
    engine = Engine.load()
    with serving(engine) as client:
        async with lsp_editor(LSP_SETTINGS, tmp_path) as (editor, _):
            await editor.ready()
            of_server = {place: await language_server(editor, place) for place in PLACES if place.file in FILES}
        for place, text in of_server.items():
            assert command_line(place) == text
            inserted = openai(client, "/v1/completions")(place)
            if place.file == "call.py":
                # These insert at the cursor, before the brackets that the others replace, so the model is shown these.
                assert text.endswith("))") and inserted and ")" not in inserted
            else:
                assert inserted == text
            assert openai(client, "/v1/fim/completions")(place) == inserted
            assert infill(client)(place) == inserted
    engine.close()
