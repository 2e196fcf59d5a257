"""The benchmark of recomputed tokens: what is counted, and that a frozen prefix saves what it is for."""

from __future__ import annotations

from pathlib import Path

from benchmarks.recomputed_tokens import Buffer, Session, measure, places
from coder.context.window import FrozenPrefixes
from coder.generation.prompting import Prompting
from coder.model.checkpoint.opening import open_checkpoint
from tests.tiny import write_tiny_checkpoint


def test_the_buffer_of_an_editor():
    buffer = Buffer("a\nb\nc\n", 3)
    assert buffer.typed("x") == Buffer("a\nbx\nc\n", 4)
    assert buffer.without(1) == Buffer("a\n\nc\n", 2)
    assert [buffer.lines_away(lines).cursor for lines in (-1, 1)] == [1, 5]
    assert buffer.edited(0, "z\n") == Buffer("z\na\nb\nc\n", 5)


def test_a_key_costs_little_where_the_prefix_is_frozen_and_the_suffix_where_it_is_not(tmp_path: Path):
    checkpoint = open_checkpoint(str(write_tiny_checkpoint(tmp_path / "tiny", max_position_embeddings=2048)))
    prompting = Prompting(checkpoint.config, checkpoint.tokenizer)
    (place,) = places(count=1)
    session = Session(prompting, lambda frozen, prefix: frozen.at("file.py", prefix), FrozenPrefixes())
    first = session.recomputed(place)
    assert session.recomputed(place) == 0
    assert 0 < session.recomputed(place.typed("x")) <= 8 < first
    rows = {str(row["after"]): row for row in measure(prompting, [place])}
    assert rows["character typed"]["frozen"] < rows["character typed"]["at the cursor"]  # type: ignore[operator]
