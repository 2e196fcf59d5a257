"""Examples: what they show of a text and what they ask for are that text again."""

from __future__ import annotations

import random
import textwrap
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coder.api.completion import Snippet
from coder.train.packed_rows import Ids
from data.pack.example import ChatExample, Example, HoleExample
from data.pack.examples import ExampleMaker, training_documents
from data.pack.holes import HOLES, LONGEST_HOLE, choose_hole
from data.pack.infilling import split_of
from data.pack.layout import Layout
from data.pack.other_files import Package
from data.pack.packing import rows_of
from data.pack.settings import ExampleKind, HoleKind, PackSettings
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


def hole_example(example: Example | None) -> HoleExample:
    assert isinstance(example, HoleExample)
    return example


def whole(example: HoleExample) -> str:
    """The text that an example is cut from: its texts with the answers in the holes."""
    first, *behind = example.texts
    return first + "".join(a + text for a, text in zip(example.answers, behind, strict=True))


@given(texts, st.sampled_from([ExampleKind.FUNCTION, ExampleKind.INFILL, ExampleKind.HOLES]), SEEDS)
@settings(deadline=None)
def test_an_example_is_a_part_of_its_file(source: SourceText, kind: ExampleKind, seed: int):
    example = maker_of(source).example(kind, random.Random(seed))
    if example is not None:
        example = hole_example(example)
        assert example.kind == kind
        assert whole(example) in source.text
        assert all(answer.strip() for answer in example.answers)
        assert len(example.answers) == len(example.texts) - 1
        before = example.texts[0]
        assert 0 <= example.split <= len(before)
        at_a_line = example.split == 0 or before[example.split - 1] == "\n"
        assert at_a_line or example.split == len(before)


def test_the_split_is_a_few_lines_above_the_hole_or_right_at_it():
    before = "".join(f"line {number}\n" for number in range(20)) + "    begun"
    splits = Counter(before.count("\n", split_of(before, random.Random(seed))) for seed in range(600))
    assert set(splits) == {0, 1, 2, 3, 4, 6, 8}
    at_it = [split_of(before, random.Random(seed)) for seed in range(600)].count(len(before))
    assert 40 < at_it < 130
    assert split_of("", random.Random(0)) == 0


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
        if isinstance(
            example := maker_of(source, settings).example(ExampleKind.FUNCTION, random.Random(seed)), HoleExample
        )
    }
    area = FUNCTIONS[FUNCTIONS.index("    @static") : FUNCTIONS.index("\n\n\ndef walk")]
    walk = FUNCTIONS[FUNCTIONS.index("def walk") : FUNCTIONS.index("\n\n\nCONST")]
    assert found == {area, walk}


def test_the_docstring_stays_where_the_body_is_written():
    settings = PackSettings(function_holes={HoleKind.BODY: 1.0}, documented=1.0)
    source = SourceText(FUNCTIONS, "python", "a.py")
    for seed in range(20):
        example = hole_example(maker_of(source, settings).example(ExampleKind.FUNCTION, random.Random(seed)))
        assert '"""The area of a rectangle."""\n' in example.texts[0]
        assert example.answers[0].endswith("return area")
        assert example.answers[0].lstrip().startswith("if width")


def test_a_question_is_about_a_documented_function():
    source = SourceText(FUNCTIONS, "python", "a.py")
    found = [maker_of(source).example(ExampleKind.CHAT, random.Random(seed)) for seed in range(60)]
    assert all(isinstance(example, ChatExample) for example in found)
    area = textwrap.dedent(FUNCTIONS[FUNCTIONS.index("    @static") : FUNCTIONS.index("\n\n\ndef walk")])
    for example in found:
        assert isinstance(example, ChatExample)
        assert "area" in example.question and "walk" not in example.question
        answered = example.begun + example.answer
        assert area in answered or answered == "This function the area of a rectangle."
    assert len({example.question.partition("\n")[0] for example in found if isinstance(example, ChatExample)}) > 5
    plain = SourceText(SCRIPT.partition("\n")[2], "javascript", "a.js")
    assert maker_of(plain).example(ExampleKind.CHAT, random.Random(0)) is None


def test_definitions_of_other_files_stand_before_the_hole_that_uses_them():
    shapes = SourceText(
        "def area(width, height):\n    return width * height\n\n\ndef other():\n    pass\n", "python", "s.py"
    )
    user = SourceText("def roof(house):\n    return area(house.width, house.depth)\n", "python", "roof.py", "houses")
    package = Package.of([shapes, user])
    settings = PackSettings(other_files=1.0, function_holes={HoleKind.BODY: 1.0})
    maker = ExampleMaker(user, settings, 3000, package)
    for seed in range(10):
        example = hole_example(maker.example(ExampleKind.FUNCTION, random.Random(seed)))
        assert example.snippets[-1] == Snippet("s.py", "def area(width, height):\n    return width * height")
        assert all(snippet.path == "s.py" for snippet in example.snippets)
        assert example.repository == "houses"


def test_the_kinds_have_their_shares_and_the_rows_their_fill(sources: list[SourceText], layout: Layout):
    wanted = PackSettings(kinds=dict.fromkeys([kind for kind in ExampleKind if kind != ExampleKind.EDIT], 1.0))
    made = list(training_documents(sources, layout, wanted, 0))
    counts = Counter(kind for kind, _ in made)
    for kind in wanted.kinds:
        assert abs(counts[kind] / len(made) - 0.25) < 0.04
    rows = rows_of([document for _, document in made], wanted.row_length, random.Random(0))
    assert sum(len(document) for _, document in made) > 0.95 * wanted.row_length * len(rows)


def test_a_kind_that_a_file_does_not_have_is_replaced(layout: Layout):
    source = SourceText(PLAIN * 100, "markdown", "a.md")
    kinds = Counter(kind for kind, _ in training_documents([source], layout, DEFAULTS, 0))
    assert kinds[ExampleKind.FUNCTION] == kinds[ExampleKind.CHAT] == 0
    assert kinds.total() == round(3000 / DEFAULTS.characters_per_example)


@pytest.mark.parametrize("text", ["", "x = 1\n", "x = 1\n" * 20 + "\x00", "x = 1\r\n" * 20, "x = '\ud800'\n" * 20])
def test_text_that_no_tokenizer_gives_back_is_left_out(text: str, layout: Layout):
    assert not list(training_documents([SourceText(text, "python", "a.py")], layout, DEFAULTS, 0))


@given(SEEDS)
@settings(deadline=None, max_examples=20)
def test_tokens_are_those_of_the_text(sources: list[SourceText], layout: Layout, seed: int):
    """Prefix, middles and suffix, read back from the ids alone, are a part of the file."""
    tokens, decode = layout.tokens, layout.tokenizer.decode
    source = random.Random(seed).choice(sources)
    infilling = PackSettings(kinds=dict.fromkeys([ExampleKind.FUNCTION, ExampleKind.INFILL, ExampleKind.HOLES], 1.0))
    for _, document in training_documents([source], layout, infilling, seed):
        context, middle = ids(document.context), ids(document.middle)
        start, end = context.index(tokens.prefix), context.index(tokens.suffix)
        behind = [decode(part) for part in parted(context[end + 1 : -1], tokens.hole)]
        answers = [decode(part) for part in parted(middle[:-1], tokens.hole)]
        text = decode(context[start + 1 : end])
        assert text + "".join(a + b for a, b in zip(answers, behind, strict=True)) in source.text
        assert context[-1] == tokens.middle and middle[-1] == tokens.end


def parted(tokens: list[int], separator: int | None) -> list[list[int]]:
    parts: list[list[int]] = [[]]
    for token in tokens:
        if token == separator:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts
