"""From files to rows: all of it real, but for the model, which is tiny."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from coder.errors import InputError
from coder.train.packed_rows import PackedRows, documents_of
from data.pack.batches import FOLDER_BYTES, batches
from data.pack.packing import PackingJob, pack
from data.pack.settings import PackSettings
from data.pack.text import SourceText

SETTINGS = PackSettings(row_length=2048)


def write_shard(file: Path, sources: list[SourceText], groups: int = 2, splits: tuple[str, ...] = ()) -> Path:
    columns = {name: [getattr(source, name) for source in sources] for name in SourceText.__dataclass_fields__}
    if splits:
        columns["split"] = [splits[number % len(splits)] for number in range(len(sources))]
    parquet.write_table(pa.table(columns), file, row_group_size=-(-len(sources) // groups))
    return file


def packed(source: Path, out: Path, model: Path, seed: int = 0) -> PackedRows:
    job = PackingJob(model, out, SETTINGS, seed)
    list(pack(list(batches([source])), job))
    return PackedRows(out)


def contents(rows: PackedRows) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(rows.folder.iterdir())}


def test_another_seed_gives_other_rows(tmp_path: Path, sources: list[SourceText], model: Path):
    shard = write_shard(tmp_path / "a.parquet", sources[:3])
    first, again, other = (
        packed(shard, tmp_path / name, model, seed) for name, seed in zip("abc", (1, 1, 2), strict=True)
    )
    assert contents(first) == contents(again) != contents(other)


def test_the_card_agrees_with_the_rows(tmp_path: Path, sources: list[SourceText], model: Path):
    rows = packed(write_shard(tmp_path / "train.parquet", sources), tmp_path / "rows", model)
    documents = [document for index in range(len(rows)) for document in documents_of(rows[index])]
    card = rows.card
    assert card.fill > 0.95
    assert card.vocabulary == PackingJob(model, tmp_path, SETTINGS).layout().tokenizer.digest
    assert sum(count.documents for count in card.kinds.values()) == len(documents)
    assert sum(count.tokens for count in card.kinds.values()) == card.tokens == sum(map(len, documents))
    assert card.middle_tokens == sum(len(document.middle) for document in documents)


def test_control_tokens_stand_where_the_layout_has_them(tmp_path: Path, sources: list[SourceText], model: Path):
    """A context has one prefix, one suffix and ends where the middle begins, or asks; a middle has one end."""
    rows = packed(write_shard(tmp_path / "a.parquet", sources), tmp_path / "rows", model)
    layout = PackingJob(model, tmp_path, SETTINGS).layout()
    tokens, special = layout.tokens, list(layout.tokenizer.special.values())
    for index in range(len(rows)):
        for document in documents_of(rows[index]):
            context, middle = np.asarray(document.context), np.asarray(document.middle)
            assert not np.isin(context, [tokens.mask, tokens.end]).any()
            if document.instructed:
                assert (context == tokens.turn_start).sum() == 3
                assert set(middle[np.isin(middle, special)]) <= {tokens.turn_end}
                continue
            assert [(context == one).sum() for one in (tokens.prefix, tokens.suffix, tokens.middle)] == [1, 1, 1]
            assert context[-1] == tokens.middle
            assert middle[-1] == tokens.end
            assert set(middle[np.isin(middle, special)]) <= {tokens.end, tokens.hole}
            assert (middle[:-1] != tokens.end).all()


def test_only_the_wanted_split_is_packed(tmp_path: Path, sources: list[SourceText]):
    shard = write_shard(tmp_path / "a.parquet", sources, splits=("train", "validation", "held_out"))
    texts = {
        split: [file.text for batch in batches([shard], split) for file in batch.read()]
        for split in ("train", "validation")
    }
    assert texts["train"] == [source.text for source in sources[::3]]
    assert texts["validation"] == [source.text for source in sources[1::3]]


def test_a_folder_of_source_files_is_a_source_too(tmp_path: Path):
    folder = tmp_path / "project"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "b.py").write_bytes(b"\xef\xbb\xbfx = 1\r\ny = 2\r\n")
    (folder / "c.js").write_text("let x = 1;\n")
    (folder / "secrets.py").write_text("x = 1\n")
    (folder / "latin.py").write_bytes("x = 'é'\n".encode("latin-1"))
    (batch,) = batches([folder])
    assert batch.read() == [
        SourceText("let x = 1;\n", "javascript", "c.js", "project"),
        SourceText("x = 1\ny = 2\n", "python", "inner/b.py", "project"),
    ]


def test_a_large_folder_comes_in_parts(tmp_path: Path):
    for number in range(5):
        (tmp_path / f"{number}.py").write_text("value = 1\n" * (FOLDER_BYTES // 25))
    assert [len(batch.read()) for batch in batches([tmp_path])] == [3, 2]


def test_what_is_no_source_is_refused(tmp_path: Path, model: Path):
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and so on")
    with pytest.raises(InputError, match=r"broken\.parquet is no Parquet shard"):
        list(batches([tmp_path]))
    parquet.write_table(pa.table({"text": ["x"]}), tmp_path / "broken.parquet")
    with pytest.raises(InputError, match="no column language, path"):
        list(batches([tmp_path]))
    with pytest.raises(InputError, match="no file or folder"):
        list(batches([tmp_path / "absent"]))
    (tmp_path / "broken.parquet").unlink()
    with pytest.raises(InputError, match="no source files that may be read"):
        list(batches([tmp_path]))
    (tmp_path / "empty.py").write_text("")
    with pytest.raises(InputError, match="no text in these sources"):
        packed(tmp_path, tmp_path / "rows", model)
    assert not (tmp_path / "rows" / "rows.json").exists()
