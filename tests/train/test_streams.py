"""Two streams: what each place is, says, sees and learns from."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coder.train.packed_rows import PackedDocument, Row, fill_rows
from coder.train.row_stream import row_streams
from coder.train.settings import ObjectiveSettings
from coder.train.streams import CLEAN, NOTHING, collate, streams_of

END, MASK = 0, 8
OBJECTIVE = ObjectiveSettings(canvas_sizes=(4, 8), end_weight=3.0)


@given(st.integers(1, 20), st.integers(1, 40), st.booleans(), st.integers(0, 10**6))
def test_labels_teachers_and_positions_agree(context: int, middle: int, ends: bool, seed: int):
    ids = np.random.default_rng(seed).integers(20, 300, context + middle)
    written = [*ids[context:], END] if ends else [*ids[context:]]
    one = streams_of(PackedDocument(ids[:context], written), (END,), MASK, OBJECTIVE, np.random.default_rng(seed))
    whole = np.array([*ids[:context], *written])
    assert one.context_tokens.tolist() == whole[: context - 1].tolist()
    clean = one.canvases == CLEAN
    # Every place is where its token is in the text, and predicts what follows there.
    visible = one.tokens != MASK
    behind = one.positions >= len(whole)
    assert (one.tokens[visible & ~behind] == whole[one.positions[visible & ~behind]]).all()
    assert (one.tokens[visible & behind] == END).all() or not ends
    learned = one.labels != NOTHING
    inside = learned & (one.positions + 1 < len(whole))
    assert (one.labels[inside] == whole[one.positions[inside] + 1]).all()
    assert (one.labels[learned & ~inside] == END).all()
    assert clean.sum() == len(written) and (one.labels[clean] == written).all()
    # A teacher is the clean place that predicts the same token.
    taught = one.teachers != NOTHING
    assert (taught == (learned & ~clean & inside)).all()
    assert (one.labels[one.teachers[taught]] == one.labels[taught]).all()
    assert (one.positions[one.teachers[taught]] == one.positions[taught]).all()
    # The two tokens before a label.
    own = learned & (one.positions < len(whole))
    assert (one.before[own, 0] == whole[one.positions[own]]).all()
    deep = own & (one.positions > 0)
    assert (one.before[deep, 1] == whole[one.positions[deep] - 1]).all()
    # A canvas sees the clean tokens before its anchor, which begins it.
    for number in range(one.canvases.max() + 1):
        canvas = one.canvases == number
        anchor = one.positions[canvas][0] - (context - 1)
        assert (one.seen[canvas] == anchor).all()
        assert one.labels[canvas][-1] == NOTHING
    assert (one.seen[clean] == np.arange(1, clean.sum() + 1)).all()
    if ends:
        assert one.weights[clean][-1] == OBJECTIVE.end_weight


def test_packed_examples_keep_to_themselves():
    documents = [PackedDocument([1, 20, 2, 3], [30, 31, END]), PackedDocument([1, 2, 3], [40, END], instructed=True)]
    filled = fill_rows([documents], 16, np.dtype(np.uint16))
    row = Row(filled.tokens[0], filled.roles[0], filled.documents[0])
    joined = row_streams(row, (END,), MASK, OBJECTIVE, np.random.default_rng(0))
    assert joined.context_documents.tolist() == [0, 0, 0, 1, 1]
    assert np.unique(joined.documents).tolist() == [0, 1]
    taught = joined.teachers != NOTHING
    assert (joined.documents[joined.teachers[taught]] == joined.documents[taught]).all()
    assert (joined.instructed == joined.documents).all()
    two = collate([joined, joined])
    assert two["documents"].unique().tolist() == [0, 1, 2, 3]
    assert two["context_documents"].tolist() == [0, 0, 0, 1, 1, 2, 2, 2, 3, 3]
