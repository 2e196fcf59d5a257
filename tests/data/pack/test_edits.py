"""Examples of next edits: from two releases, in an order that somebody may have chosen, in the engine's own layout."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.api.completion import CompletionRequest, Rewritten, Where
from coder.editing.changes import apply_changes
from coder.errors import InputError
from coder.generation.prompting import Prompting
from coder.model.checkpoint.config import ModelConfig
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.checkpoint.tokens import Tokenizer
from coder.train.packed_rows import PackedRows
from data.pack.batches import batches
from data.pack.edits import EditedText, edit_documents, edit_example, line_edits, steps
from data.pack.layout import Layout
from data.pack.packing import PackingJob, pack
from data.pack.settings import ExampleKind, PackSettings
from tests.data.trees import write_wheel
from tests.train.infilling_models import write_checkpoint

LINES = st.lists(st.sampled_from(["a = b\n", "a = c\n", "d\n", "\n"]), max_size=8).map("".join)
SETTINGS = PackSettings(row_length=4096, unchanged_windows=0.0)

OLD = "\n\n".join(f"def {name}(a, b):\n    c = a + b\n    d = a * c\n    return d\n" for name in "efghijklm")
NEW = OLD.replace("b):", "x):").replace("+ b", "+ x")
FILE = EditedText(OLD, NEW, "package/colours.py", "package", "2.0")


@given(LINES, LINES)
def test_all_edits_together_lead_to_the_goal(old: str, new: str):
    changes = [change for edit in line_edits(old, new) for change in edit]
    assert apply_changes(old, changes) == new


def test_what_is_on_one_line_is_one_edit():
    assert [len(edit) for edit in line_edits("a = b + c\nd\ne = f\n", "x = y + c\nd\ne = g\n")] == [2, 1]


@given(st.sampled_from([FILE, EditedText("a b\nc\nd e\nf\n", "a c\ng\nc\ne\n", "", "", "")]), st.integers(0, 1000))
def test_at_every_step_the_edits_left_lead_to_the_new_text(file: EditedText, seed: int):
    found = list(steps(file, random.Random(seed)))
    assert len(found) == len(line_edits(file.before, file.text)) - 1
    for step in found:
        assert apply_changes(step.now, step.left) == file.text
        assert step.recent and apply_changes(step.now, step.undoing) != step.now
    assert apply_changes(found[0].now, found[0].undoing) == file.before


@given(st.integers(0, 1000))
def test_a_window_becomes_what_the_next_release_has_there(seed: int):
    generator = random.Random(seed)
    for step in steps(FILE, generator):
        example = edit_example(FILE, step, SETTINGS, generator)
        assert example.current in step.now and example.current != example.updated
        assert example.updated in NEW


def test_sometimes_nothing_is_left_to_be_done_around_the_cursor():
    lines = [f"a{number} = {number}" for number in range(90)]
    far = EditedText("\n".join(lines), "\n".join(["b = 1", *lines[1:-1], "c = 1"]), "a.py", "package", "2.0")
    for share in (0.0, 1.0):
        generator, settings = random.Random(0), SETTINGS.model_copy(update={"unchanged_windows": share})
        (example,) = (edit_example(far, step, settings, generator) for step in steps(far, generator))
        assert (example.current == example.updated) == (share == 1.0)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ModelConfig, Tokenizer, Layout]]:
    folder = write_checkpoint(tmp_path_factory.mktemp("ours"))
    checkpoint = open_checkpoint(str(folder))
    yield checkpoint.config, checkpoint.tokenizer, PackingJob(folder, Path(), SETTINGS).layout()


def test_the_model_is_trained_on_the_very_prompt_that_the_engine_asks(ours: tuple[ModelConfig, Tokenizer, Layout]):
    config, tokenizer, layout = ours
    generator = random.Random(3)
    prompting = Prompting(config, tokenizer)
    for step in steps(FILE, generator):
        example = edit_example(FILE, step, SETTINGS, generator)
        request = CompletionRequest(
            "",
            where=Where(path="package/package/colours.py", workspace="package"),
            snippets=example.recent,
            rewritten=Rewritten(example.current, "", example.original),
        )
        document = layout.document(example, SETTINGS.row_length)
        assert document is not None
        shown = replace(request, where=replace(request.where, workspace=None, path="colours.py"))
        prompt = prompting.prompt(request).tokens
        assert [int(token) for token in document.context] == prompt != prompting.prompt(shown).tokens
        assert [int(token) for token in document.middle] == [*tokenizer.encode(example.updated), layout.tokens.end]
    prompting.workspaces.close()


def test_a_file_gives_a_few_examples_and_the_same_each_time(layout: Layout):
    settings = SETTINGS.model_copy(update={"edits_per_file": 3})
    found = [list(edit_documents([FILE], layout, settings, seed)) for seed in (0, 0, 1)]
    assert len(found[0]) == 3
    contexts = [[list(document.context) for _, document in documents] for documents in found]
    assert contexts[0] == contexts[1] != contexts[2]


def packed(folder: Path, model: Path, metadata: str = "License-Expression: MIT") -> PackedRows:
    for version, text in (("1.0", OLD), ("2.0", NEW)):
        write_wheel(folder / "cache" / "quickfill" / "wheels", "package", version, {FILE.path: text}, metadata)
    (folder / "releases.txt").write_text("package 1.0 2.0\n", encoding="utf-8")
    job = PackingJob(model, folder / "rows", PackSettings(row_length=2048))
    list(pack(list(batches([folder / "releases.txt"])), job))
    return PackedRows(folder / "rows")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("data.settings.user_cache_path", lambda name: tmp_path / "cache" / name)
    return tmp_path


def test_a_list_of_releases_gives_edits_and_nothing_else(cache: Path, model: Path):
    kinds = packed(cache, model).card.kinds
    assert kinds[ExampleKind.EDIT].documents == PackSettings().edits_per_file
    assert sum(count.documents for count in kinds.values()) == PackSettings().edits_per_file


def test_what_is_not_permissively_licensed_is_not_packed(cache: Path, model: Path):
    with pytest.raises(InputError, match="no text in these sources"):
        packed(cache, model, "License-Expression: GPL-3.0-only")


def test_packages_that_are_held_out_are_refused(tmp_path: Path):
    (tmp_path / "releases.txt").write_text("typer 0.9.0 0.10.0\n", encoding="utf-8")
    with pytest.raises(InputError, match="held out"):
        list(batches([tmp_path / "releases.txt"]))
