"""Some rows of the table of doors, with the embedded model: the same text at each."""

from __future__ import annotations

import pytest

from benchmarks.doors import PLACES, command_line, infill, language_server, openai, serving
from coder.engine.engine import Engine

FILES = ("tabs.py", "add.ts", "format.py", "call.py", "empty.py")


@pytest.mark.slow
def test_every_door_gives_the_same_answer():
    engine = Engine.load()
    with serving(engine) as client:
        for place in PLACES:
            if place.file not in FILES:
                continue
            text = command_line(place)
            assert language_server(engine)(place) == text
            # These insert at the cursor, before the brackets that the others replace.
            kept = text.removesuffix("))") if place.file == "call.py" else text
            assert openai(client, "/v1/completions")(place) == kept
            assert openai(client, "/v1/fim/completions")(place) == kept
            assert infill(client)(place) == kept
    engine.close()
