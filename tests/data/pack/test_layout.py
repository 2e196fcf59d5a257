"""What is trained is what will be asked: an example's context is the engine's own prompt for the same request."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import pytest

from coder.api.completion import CompletionRequest, Rewritten, Snippet
from coder.api.edits import EditRequest, FillRequest
from coder.diffusion.sampler import Sampler
from coder.engine.engine import Engine
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.prompt import recent_edit, repo_header, rewrite, split_answers
from coder.model.checkpoint.tokens import CONTROL_TEXTS
from coder.train.packed_rows import Ids
from data.pack.example import Example, RecentEdit
from data.pack.examples import makers
from data.pack.layout import Layout
from data.pack.settings import Kind, PackSettings
from data.pack.text import SourceText

ROW = 400


@pytest.fixture(scope="module")
def engine(tiny: Checkpoint) -> Iterator[Engine]:
    loaded = Engine.load(str(tiny.folder), runtime="onnx", threads=1)
    yield loaded
    loaded.close()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The prompts that reach the sampler."""
    prompts: list[list[int]] = []
    denoise = Sampler.denoise

    def spy(self, request):
        prompts.append(list(request.context))
        return denoise(self, request)

    monkeypatch.setattr(Sampler, "denoise", spy)
    return prompts


def short_examples(kind: Kind, sources: list[SourceText], layout: Layout, settings: PackSettings) -> Iterator[Example]:
    """Examples of a kind that fit into a tiny model's window."""
    for number, maker in enumerate(makers(sources, layout, settings)):
        example = maker.example(kind, random.Random(number))
        if example is not None and layout.document(example, ROW) is not None:
            yield example


@pytest.mark.parametrize("kind", [Kind.FUNCTION, Kind.INFILL, Kind.LEFT_TO_RIGHT, Kind.HOLES, Kind.REWRITE])
def test_an_example_begins_with_the_prompt_that_the_engine_makes(
    kind: Kind, tiny: Checkpoint, engine: Engine, asked: list[list[int]], sources: list[SourceText]
):
    layout, control = Layout(tiny.config, tiny.tokenizer), tiny.config.control
    settings = PackSettings(row_length=ROW, other_files=1.0, repository_name=0.0)
    examples = list(islice(short_examples(kind, sources, layout, settings), 6 if kind == Kind.REWRITE else 20))
    for example in examples:
        asked.clear()
        ask(engine, example)
        document = layout.document(example, ROW)
        assert document is not None
        assert ids(document.context) == asked[0]
        if kind != Kind.LEFT_TO_RIGHT or (example.is_whole and len(document) < ROW):
            answers = split_answers(control, ids(document.middle))
            replaced = replaced_brackets(engine, example)
            assert [tiny.tokenizer.decode(ids) for ids in answers] == [text + replaced for text in example.answers]
            assert document.middle[-1] == control.fim_end
    assert len(examples) > 4
    if kind in (Kind.FUNCTION, Kind.INFILL):
        assert any(snippets(example) for example in examples)


def test_a_next_edit_begins_with_the_edits_before_it(tiny: Checkpoint):
    tokenizer, control = tiny.tokenizer, tiny.config.control
    request = CompletionRequest("a\n", "d\n", replace_brackets=False, rewritten=Rewritten("old\n", ""))
    edits = (RecentEdit("x\n", "y\n"), RecentEdit("", "z\n"))
    document = Layout(tiny.config, tokenizer).document(
        Example(Kind.NEXT_EDIT, request, ("new\n",), recent_edits=edits, repository="r"), ROW
    )
    encode = tokenizer.encode
    header = [
        *repo_header(tokenizer, "r"),
        *recent_edit(control, encode("x\n"), encode("y\n")),
        *recent_edit(control, [], encode("z\n")),
    ]
    assert document is not None
    expected = rewrite(control, encode("a\n"), encode("old\n"), [], encode("d\n"), header=header)
    assert ids(document.context) == expected
    assert ids(document.middle) == [*encode("new\n"), control.fim_end]


def test_brackets_that_an_answer_stands_in_for_are_in_the_middle(tiny: Checkpoint):
    layout, tokenizer = Layout(tiny.config, tiny.tokenizer), tiny.tokenizer
    for takes, suffix, middle in ((True, "\nx\n", "1, 2))"), (False, "))\nx\n", "1, 2")):
        request = CompletionRequest("f(g(", "))\nx\n", replace_brackets=takes)
        document = layout.document(Example(Kind.INFILL, request, ("1, 2",)), ROW)
        assert document is not None
        assert tokenizer.decode(ids(document.context)) == f"{suffix}f(g("
        assert tokenizer.decode(ids(document.middle)) == middle


def test_control_tokens_in_a_text_are_text(embedded: Checkpoint, layout: Layout):
    text = "".join(CONTROL_TEXTS.values())
    request = CompletionRequest(
        text, text, snippets=(Snippet(text, text),), rewritten=Rewritten(text, text), replace_brackets=False
    )
    example = Example(Kind.NEXT_EDIT, request, (text,), repository=text, recent_edits=(RecentEdit(text, text),))
    document = layout.document(example, 5000)
    control = embedded.config.control
    assert document is not None
    assert [token for token in ids(document.context) if token in control.all] == [
        *(control.repo, control.edit_before, control.edit_after),
        *(control.fim_suffix, control.edit_before, control.cursor, control.fim_prefix),
    ]
    assert [token for token in ids(document.middle) if token in control.all] == [control.fim_end]
    assert embedded.tokenizer.decode(ids(document.middle)) == text


def test_what_does_not_fit_is_left_out_and_what_may_be_cut_is_cut(layout: Layout, embedded: Checkpoint):
    request = CompletionRequest("")
    whole = Example(Kind.FUNCTION, request, ("x = 1\n" * 20,))
    assert layout.document(whole, 50) is None
    cut = layout.document(replace(whole, kind=Kind.LEFT_TO_RIGHT), 50)
    assert cut is not None
    assert len(cut) == 50
    assert embedded.config.control.fim_end not in ids(cut.middle)


def test_a_text_that_ends_in_its_row_says_so_however_many_characters_it_has(layout: Layout, embedded: Checkpoint):
    """What is known of how many characters fill a row is an estimate from the file's beginning."""
    text = "a = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]\n" * 120 + "    return the_first_of_all_values\n" * 60
    (maker,) = makers([SourceText(text, "python", "a.py")], layout, PackSettings(row_length=5000))
    assert len(text) > maker.room
    documents = [
        layout.document(example, 5000)
        for seed in range(20)
        if (example := maker.example(Kind.LEFT_TO_RIGHT, random.Random(seed))) is not None
    ]
    whole = [document for document in documents if document and embedded.tokenizer.decode(ids(document.middle)) == text]
    assert whole
    assert all(document.middle[-1] == embedded.config.control.fim_end for document in whole)


def ids(tokens: Ids) -> list[int]:
    return [int(token) for token in tokens]


def snippets(example: Example) -> tuple[Snippet, ...]:
    return example.request.snippets if isinstance(example.request, CompletionRequest) else ()


def replaced_brackets(engine: Engine, example: Example) -> str:
    request = example.request
    return engine._prompting.prompt(request).around.replaced if isinstance(request, CompletionRequest) else ""


def ask(engine: Engine, example: Example) -> None:
    """As a user would, but not wait for the answer."""
    request = example.request
    if isinstance(request, FillRequest):
        events = engine.stream_fill(request)
    elif request.rewritten is None:
        events = engine.stream(request)
    else:
        before, old = request.prefix, request.rewritten.old
        instruction = request.rewritten.instruction.removeprefix("# ").removesuffix("\n")
        text = f"{before}{old}{request.suffix}"
        engine.edit(EditRequest(text, len(before), len(before) + len(old), instruction, path=request.path))
        return
    next(events)
    events.close()
