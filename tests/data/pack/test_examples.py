"""Examples: what they show of a text and what they ask for are that text again."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coder.api.completion import CompletionRequest, Rewritten, Snippet
from coder.api.edits import FillRequest
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.prompt import split_answers
from coder.train.packed_rows import Ids
from data.pack.changed_texts import ChangedText
from data.pack.editing import next_edit
from data.pack.example import Example, RecentEdit
from data.pack.examples import ExampleMaker, makers, training_documents
from data.pack.holes import HOLES, LONGEST_HOLE, choose_hole
from data.pack.layout import Layout
from data.pack.other_files import Package
from data.pack.packing import rows_of
from data.pack.settings import HoleKind, Kind, PackSettings
from data.pack.text import SourceText

DEFAULTS = PackSettings()
SEEDS = st.integers(0, 1 << 30)

FUNCTIONS = '''import os


class Shapes:
    """Some of them."""

    @staticmethod
    def area(width: float, height: float) -> float:
        """The area of a rectangle."""
        if width < 0 or height < 0:
            raise ValueError("a side is negative")
        area = width * height
        return area


def walk(folder, größe=1):
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if os.path.isdir(path):
            walk(path, größe + 1)
        print(path, "ünï", größe)


CONSTANT = walk
'''

SCRIPT = """// Adds two numbers.
function add(first, second) {
  if (first > 1) {
    console.log(first);
  }
  return first + second;
}
"""

PLAIN = "Dear reader,\n\nthis is no code at all, but it has several lines of text.\n\nYours\n"

TEXTS = {"python": FUNCTIONS, "javascript": SCRIPT, "markdown": PLAIN}
texts = st.sampled_from([SourceText(text, language, "a/b.x", "package") for language, text in TEXTS.items()])


def ids(tokens: Ids) -> list[int]:
    return [int(token) for token in tokens]


def maker_of(source: SourceText, settings: PackSettings = DEFAULTS, room: int = 3000) -> ExampleMaker:
    return ExampleMaker(source, settings, room, Package.of([source]))


def whole(example: Example) -> str:
    """What an example is cut from: its texts with the answers in the holes."""
    request = example.request
    if isinstance(request, FillRequest):
        first, *behind = request.texts
        return first + "".join(a + text for a, text in zip(example.answers, behind, strict=True))
    return request.prefix + example.answers[0] + request.suffix


@given(texts, st.sampled_from([Kind.FUNCTION, Kind.INFILL, Kind.LEFT_TO_RIGHT, Kind.HOLES]), SEEDS)
@settings(deadline=None)
def test_an_example_is_a_part_of_its_file(source: SourceText, kind: Kind, seed: int):
    example = maker_of(source).example(kind, random.Random(seed))
    if example is not None:
        assert example.kind == kind
        assert whole(example) in source.text
        assert all(answer.strip() for answer in example.answers)
        holes = len(example.request.texts) - 1 if isinstance(example.request, FillRequest) else 1
        assert len(example.answers) == holes


@given(texts, st.sampled_from(HoleKind), SEEDS)
@settings(deadline=None)
def test_holes_lie_inside_their_region(source: SourceText, form: HoleKind, seed: int):
    generator = random.Random(seed)
    start = generator.randrange(len(source.text) - 1)
    region = start, generator.randrange(start + 1, len(source.text))
    hole = HOLES[form](source, region, generator)
    if hole is not None:
        assert source.line_start(region[0]) <= hole[0] < hole[1] <= region[1]


FOUND = {
    HoleKind.REST_OF_LINE: 'Error("a side is negative")',
    HoleKind.LINE: "        return area",
    HoleKind.LINES: "area = width * height\n        return area",
    HoleKind.BLOCK: 'raise ValueError("a side is negative")',
    HoleKind.REST_OF_BLOCK: "        return area",
    HoleKind.BODY: FUNCTIONS[FUNCTIONS.index("if width") : FUNCTIONS.index("\n\n\ndef walk")],
    HoleKind.EXPRESSION: "width * height",
    HoleKind.ARGUMENTS: "path, größe + 1",
    HoleKind.CHARACTERS: "\n",
}


@pytest.mark.parametrize("form", HoleKind)
def test_every_form_of_hole_is_found_in_code(form: HoleKind):
    source = SourceText(FUNCTIONS, "python", "a.py")
    found = {HOLES[form](source, (0, len(FUNCTIONS)), random.Random(seed)) for seed in range(1500)}
    assert FOUND[form] in {FUNCTIONS[slice(*hole)] for hole in found if hole is not None}


@pytest.mark.parametrize("language", ["python", "javascript"])
def test_long_holes_are_not_chosen(language: str):
    line = "    value = value + 1;\n"
    head = "def f(value):\n" if language == "python" else "function f(value) {\n"
    source = SourceText(head + line * 200, language, "a.x")
    region = 0, len(source.text)
    for seed in range(50):
        hole = choose_hole(source, region, {HoleKind.BODY: 1.0, HoleKind.LINES: 0.1}, random.Random(seed))
        assert hole is None or hole[1] - hole[0] <= LONGEST_HOLE


def test_a_function_is_shown_with_its_head_and_little_else():
    settings = PackSettings(little_before=0, little_after=0, much_around=0, function_holes={HoleKind.BODY: 1.0})
    source = SourceText(FUNCTIONS, "python", "a.py")
    found = {
        whole(example)
        for seed in range(20)
        if (example := maker_of(source, settings).example(Kind.FUNCTION, random.Random(seed)))
    }
    area = FUNCTIONS[FUNCTIONS.index("    @static") : FUNCTIONS.index("\n\n\ndef walk")]
    walk = FUNCTIONS[FUNCTIONS.index("def walk") : FUNCTIONS.index("\n\n\nCONST")]
    assert found == {area, walk}


def test_the_docstring_stays_where_the_body_is_written():
    settings = PackSettings(function_holes={HoleKind.BODY: 1.0}, documented=1.0)
    source = SourceText(FUNCTIONS, "python", "a.py")
    for seed in range(20):
        example = maker_of(source, settings).example(Kind.FUNCTION, random.Random(seed))
        assert example is not None
        assert isinstance(example.request, CompletionRequest)
        assert '"""The area of a rectangle."""\n' in example.request.prefix
        assert example.answers[0].endswith("return area")
        assert example.answers[0].lstrip().startswith("if width")


@pytest.mark.parametrize("kind", [Kind.REWRITE, Kind.NEXT_EDIT])
def test_an_edit_leads_from_the_old_text_to_what_its_author_wrote(kind: Kind, sources: list[SourceText]):
    examples = [
        example
        for number, maker in enumerate(makers_without_layout(sources))
        if (example := maker.example(kind, random.Random(number))) is not None
    ]
    assert len(examples) > len(sources) / 4
    for example in examples:
        assert rewritten(example).old != example.answers[0]
        assert bool(example.recent_edits) == (kind == Kind.NEXT_EDIT)
        assert all(edit.old != edit.new for edit in example.recent_edits)
    said = [rewritten(example).instruction for example in examples]
    assert all(not text or (text.startswith("# ") and text.endswith("\n")) for text in said)
    assert any(said) == (kind == Kind.REWRITE)


def rewritten(example: Example) -> Rewritten:
    assert isinstance(example.request, CompletionRequest)
    assert example.request.rewritten is not None
    return example.request.rewritten


def makers_without_layout(sources: list[SourceText]) -> list[ExampleMaker]:
    return [ExampleMaker(source, DEFAULTS, 3000, Package({})) for source in sources]


def test_a_release_is_an_edit_of_the_one_before(layout: Layout):
    def release(version: str, value: int) -> SourceText:
        text = f"def f():\n    return {value}\n\n\ndef g():\n    return {value}\n"
        return SourceText(text, "python", "m.py", "p", version)

    versions = release("1.10", 3), release("1.2", 1), release("1.9", 2)
    earlier = {maker.file.version: maker.earlier for maker in makers(versions, layout, DEFAULTS)}
    assert earlier == {"1.2": None, "1.9": versions[1], "1.10": versions[2]}
    change = ChangedText(versions[2].text, versions[0].text)
    example = next_edit(versions[0], change, 3000, random.Random(0))
    assert example is not None
    assert example.recent_edits == (RecentEdit("    return 2\n", "    return 3\n"),)
    request, old = example.request, rewritten(example).old
    assert isinstance(request, CompletionRequest)
    assert request.prefix + old + request.suffix == versions[2].text.replace("2", "3", 1)
    assert whole(example) == versions[0].text


def test_definitions_of_other_files_stand_before_the_hole_that_uses_them():
    shapes = SourceText(
        "def area(width, height):\n    return width * height\n\n\ndef other():\n    pass\n", "python", "s.py"
    )
    user = SourceText("def roof(house):\n    return area(house.width, house.depth)\n", "python", "roof.py", "houses")
    package = Package.of([shapes, user])
    settings = PackSettings(other_files=1.0, repository_name=1.0, function_holes={HoleKind.BODY: 1.0})
    maker = ExampleMaker(user, settings, 3000, package)
    for seed in range(10):
        example = maker.example(Kind.FUNCTION, random.Random(seed))
        assert example is not None
        assert isinstance(example.request, CompletionRequest)
        assert example.request.snippets[-1] == Snippet("s.py", "def area(width, height):\n    return width * height")
        assert all(snippet.path == "s.py" for snippet in example.request.snippets)
        assert example.repository == "houses"


def test_the_kinds_have_their_shares_and_the_rows_their_fill(sources: list[SourceText], layout: Layout):
    made = list(training_documents(sources, layout, DEFAULTS, 0))
    counts = Counter(kind for kind, _ in made)
    for kind, share in DEFAULTS.kinds.items():
        assert abs(counts[kind] / len(made) - share) < 0.03
    rows = rows_of([document for _, document in made], DEFAULTS.row_length, random.Random(0))
    assert sum(len(document) for _, document in made) > 0.95 * DEFAULTS.row_length * len(rows)


def test_a_kind_that_a_file_does_not_have_is_replaced(layout: Layout):
    source = SourceText(PLAIN * 100, "markdown", "a.md")
    kinds = Counter(kind for kind, _ in training_documents([source], layout, DEFAULTS, 0))
    assert kinds[Kind.FUNCTION] == kinds[Kind.REWRITE] == 0
    assert kinds.total() == round(3000 / DEFAULTS.characters_per_example)


@pytest.mark.parametrize("text", ["", "x = 1\n", "x = 1\n" * 20 + "\x00", "x = 1\r\n" * 20, "x = '\ud800'\n" * 20])
def test_text_that_no_tokenizer_gives_back_is_left_out(text: str, layout: Layout):
    assert not list(training_documents([SourceText(text, "python", "a.py")], layout, DEFAULTS, 0))


@given(SEEDS)
@settings(deadline=None, max_examples=20)
def test_tokens_are_those_of_the_text(sources: list[SourceText], layout: Layout, embedded: Checkpoint, seed: int):
    """Prefix, middles and suffix, read back from the ids alone, are a part of the file."""
    control, decode = embedded.config.control, embedded.tokenizer.decode
    source = random.Random(seed).choice(sources)
    infilling = PackSettings(kinds=dict.fromkeys([Kind.FUNCTION, Kind.INFILL, Kind.LEFT_TO_RIGHT, Kind.HOLES], 1.0))
    for _, document in training_documents([source], layout, infilling, seed):
        context = ids(document.context)
        start, end = context.index(control.fim_suffix), context.index(control.fim_prefix)
        behind = split_answers(control, context[start + 1 : end])
        texts = [decode(context[end + 1 :]), *map(decode, behind)]
        answers = [*map(decode, split_answers(control, ids(document.middle)))]
        if control.fim_end in document.middle:
            assert texts[0] + "".join(a + b for a, b in zip(answers, texts[1:], strict=True)) in source.text
        else:
            text = decode(ids(document.middle))
            assert len(document) == infilling.row_length or not source.text.endswith(text)
            assert text.rstrip("\N{REPLACEMENT CHARACTER}") in source.text
