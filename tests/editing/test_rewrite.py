"""Rewriting a region: what the model is shown, and what becomes of its answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from coder.api.completion import Decoding, Rewritten, Where
from coder.api.text_requests import Edited, EditRequest, RegionUpdate
from coder.diffusion.events import FinishReason
from coder.editing.rewrite import rewrite, stream_rewrite
from coder.engine.engine import Engine
from coder.errors import InputError
from coder.syntax.soundness import is_sound
from tests.scripted import ScriptedModel, completion

PLAIN = "def mean(values):\n    return 0\n\n\nx = 1\n"
DOCUMENTED = 'class A:\n    def mean(self, values):\n        """The mean."""\n        pass\n\n    y = 2\n'


def rewritten(text: str, part: str, instruction: str, model: ScriptedModel, path: str = "module.py") -> Edited:
    start = text.index(part)
    return rewrite(model, EditRequest(text, start, start + len(part), instruction, where=Where(path=path)))


def test_a_docstring_is_written_behind_the_head():
    model = ScriptedModel([completion("the mean of the values.")])
    edited = rewritten(PLAIN, "def mean(values):\n    return 0", "write the docstring", model)
    assert edited.text == PLAIN.replace("    return 0", '    """Return the mean of the values."""\n    return 0')
    (request,) = model.requests
    assert request.prefix == 'def mean(values):\n    """Return '
    assert request.suffix.startswith('"""\n    return 0')


def test_in_a_long_file_or_when_nobody_waits_few_endings_are_tried(monkeypatch: pytest.MonkeyPatch):
    from coder.editing import region_fit

    tried: list[int] = []

    def never(text: str, language: str) -> bool:
        tried.append(len(text))
        return False

    monkeypatch.setattr(region_fit, "is_sound", never)
    answer = "\n".join(f"    x_{number} = (" for number in range(200))
    for length, deadline, most in ((100_000, None, 8), (10, 0.001, 6), (10, None, 500)):
        tried.clear()
        text = PLAIN + "y = 1\n" * length
        region = region_fit.Region(text, 0, 20, "python")
        region.best(region.beginnings(answer), lambda deadline=deadline: deadline is not None)
        assert 0 < len(tried) <= most


def test_while_it_is_written_its_region_is_shown_with_what_stands_around_it():
    end = PLAIN.index("\n\n\n")
    request = EditRequest(PLAIN, 0, end, "write the docstring", where=Where(path="module.py"))
    update, edited = stream_rewrite(ScriptedModel([completion("the mean.")]), request)
    assert isinstance(update, RegionUpdate) and isinstance(edited, Edited)
    assert update.start == update.end == PLAIN.index("return 0")
    assert update.canvas.settled == '"""Return '
    assert [slot.text for slot in update.canvas.slots] == ["ans", None, '"""\n    ']


def test_a_body_that_does_nothing_is_written_between_head_and_what_follows():
    model = ScriptedModel([completion("return sum(values)")])
    part = DOCUMENTED[DOCUMENTED.index("    def") : DOCUMENTED.index("\n\n")]
    edited = rewritten(DOCUMENTED, part, "divide by their number", model)
    assert edited.text == DOCUMENTED.replace("pass", "return sum(values)")
    (request,) = model.requests
    assert request.prefix.endswith('"""The mean."""\n        # divide by their number\n        ')
    assert request.suffix == "\n\n    y = 2\n"


def test_an_empty_line_is_written_under_its_instruction():
    model = ScriptedModel([completion("y = 2")])
    start = len(PLAIN)
    request = EditRequest(PLAIN + "\n", start, start, "two", where=Where(path="module.py"))
    assert rewrite(model, request).text == PLAIN + "y = 2\n"
    assert model.requests[-1].prefix == PLAIN + "# two\n"


@pytest.mark.parametrize(
    "placeholder", ["pass", "...", "raise NotImplementedError", 'raise NotImplementedError("later")']
)
def test_what_only_stands_in_for_code_gives_way(placeholder: str):
    model = ScriptedModel([completion("return 1")])
    text = PLAIN.replace("return 0", placeholder)
    assert rewritten(text, f"    {placeholder}", "", model).text == PLAIN.replace("return 0", "return 1")
    assert rewritten(text, text[: text.index("\n\n")], "", model).text == PLAIN.replace("return 0", "return 1")


def test_in_other_languages_comments_are_theirs():
    code = "function f(a) {\n}\n"
    model = ScriptedModel([completion("return a + 1;\n")])
    assert rewritten(code, code, "add one", model, "a.js").text == "function f(a) {\n    return a + 1;\n}\n"
    assert "// add one\n" in model.requests[0].prefix


MEDIAN = "def median(values):\n    values = sorted(values)\n    return values[len(values) // 2]\n"
SOMETHING_TO_LOSE = {
    "a body": ("a.py", MEDIAN, MEDIAN, "use statistics"),
    "lines of a body": ("a.py", MEDIAN, "    values = sorted(values)\n", "sort it"),
    "a body, where only words ask for it": ("a.py", MEDIAN, MEDIAN, "fill the body"),
    "a body of a comment": ("a.js", "function f() {\n  // as in RFC 1\n}\n", "", "do it"),
    "a statement": ("a.py", PLAIN, "x = 1", "two instead"),
    "a docstring that is there": ("a.py", DOCUMENTED, DOCUMENTED, "write the docstring"),
    "several functions": ("a.py", MEDIAN + MEDIAN, MEDIAN + MEDIAN, "write the docstring"),
    "a class": ("a.py", DOCUMENTED, DOCUMENTED, ""),
    "a TypeScript function": ("a.ts", "function f(a: number) {\n  return a;\n}\n", "", "add one"),
    "a Go function": ("a.go", "func f(a int) int {\n\treturn a\n}\n", "", "add one"),
    "a Rust function": ("a.rs", "fn f(a: i32) -> i32 {\n    a\n}\n", "", "add one"),
    "a Java method": ("a.java", "class A {\n  int f(int a) {\n    return a;\n  }\n}\n", "", "add one"),
    "a text": ("a.md", "Some words.\n", "words", "shorter"),
}


@pytest.mark.parametrize("case", SOMETHING_TO_LOSE)
def test_lines_that_the_model_would_not_see_are_not_its_to_rewrite(case: str):
    path, text, part, instruction = SOMETHING_TO_LOSE[case]
    model = ScriptedModel([completion("return None")])
    with pytest.raises(InputError, match="has not learned to rewrite code"):
        rewritten(text, part or text, instruction, model, path)
    assert not model.requests
    able = ScriptedModel([completion("")], edits=True)
    assert rewritten(text, part or text, instruction, able, path).text == text
    assert able.requests


def test_of_an_answer_that_breaks_the_text_the_longest_sound_beginning_is_taken():
    model = ScriptedModel([completion("return sum(values)\n    if (")])
    text = PLAIN.replace("return 0", "pass")
    edited = rewritten(text, "def mean(values):\n    pass", "", model)
    assert edited.text == PLAIN.replace("return 0", "return sum(values)")


def test_a_part_of_a_line_is_written_under_its_instruction_and_fits_into_the_line():
    code = "def size(self):\n    return len(<fill>)\n"
    model = ScriptedModel([completion("self.items))")])
    assert rewritten(code, "<fill>", "the items", model).text == code.replace("<fill>", "self.items")
    (request,) = model.requests
    assert request.prefix == "def size(self):\n    # the items\n    return len("
    assert request.suffix == ")\n"


def test_blanks_before_a_part_of_a_line_are_the_models_to_write():
    model = ScriptedModel([completion(" 2")])
    text = PLAIN.replace("x = 1", "x = <fill>")
    assert rewritten(text, "<fill>", "", model).text == PLAIN.replace("x = 1", "x = 2")
    assert model.requests[0].prefix.endswith("x =")


@pytest.mark.parametrize(
    ("text", "part", "instruction", "lines"),
    [
        ("x = <fill>  # metres\n", "<fill>", "", 1),
        ("def f():\n    <fill>\n", "<fill>", "", None),
        (PLAIN, "def mean(values):\n    return 0", "write the docstring", 2),
    ],
)
@pytest.mark.parametrize("instructions", [True, False])
def test_no_more_is_written_than_is_kept(text: str, part: str, instruction: str, lines: int | None, instructions: bool):
    """Of a docstring the first line that is not blank, inside a line the rest of it."""
    model = ScriptedModel([completion("")], instructions=instructions)
    rewritten(text, part, instruction, model)
    assert model.requests[0].constraints.max_lines == lines


@pytest.mark.parametrize("answer", ["", "  \n", "((("])
def test_without_a_usable_answer_nothing_changes(answer):
    edited = rewritten(PLAIN, "x = 1", "change it", ScriptedModel([completion(answer)], edits=True))
    assert (edited.text, edited.changes) == (PLAIN, ())


def test_a_model_trained_on_edits_sees_the_old_text_and_the_instruction():
    model = ScriptedModel([completion("x = 2")], edits=True)
    assert rewritten(PLAIN, "x = 1", "two instead", model).text == PLAIN.replace("x = 1", "x = 2")
    (request,) = model.requests
    assert request.rewritten == Rewritten("x = 1", "# two instead\n")
    assert request.prefix == PLAIN[: PLAIN.index("x = 1")]


def test_its_prompt_has_the_layout_of_edits(tmp_path: Path):
    from coder.api.completion import CompletionRequest, Snippet
    from coder.generation.prompting import Prompting
    from coder.model.checkpoint.tokens import repository_header
    from tests.tiny import open_tiny_checkpoint

    checkpoint = open_tiny_checkpoint(tmp_path)
    prompting = Prompting(checkpoint.config, checkpoint.tokenizer)
    asked = CompletionRequest("def f():\n", "\nx", where=Where(path="a.py"), snippets=(Snippet("a.py.diff", "z"),))
    request = replace(asked, rewritten=Rewritten("    pass", "# return one\n", "    ..."))
    files = [("a.py.diff", "z"), ("original/a.py", "    ..."), ("current/a.py", "    pass")]
    header = repository_header(checkpoint.tokenizer, "untitled", files, "updated/a.py")
    assert prompting.prompt(request).tokens == [*header, *checkpoint.tokenizer.encode("# return one\n")]
    prompting.workspaces.close()


def test_a_region_outside_the_text_is_refused():
    with pytest.raises(InputError, match="outside the text"):
        rewrite(ScriptedModel(), EditRequest("x", 0, 9))


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = Engine.load(threads=2)
    yield engine
    engine.close()


@pytest.mark.slow
@pytest.mark.parametrize("instruction", ["write the docstring", "fill the body"])
def test_the_embedded_model_writes_docstrings_and_bodies(engine: Engine, instruction: str):
    text = PLAIN if "docstring" in instruction else DOCUMENTED
    start = text.index("def")
    edited = engine.edit(
        EditRequest(
            text,
            start,
            text.index("\n\n"),
            instruction,
            where=Where(path="module.py"),
            decoding=Decoding(max_tokens=40),
        )
    )
    assert edited.text != text
    assert is_sound(edited.text, "python")
    assert len(edited.changes) == 1 or "docstring" not in instruction


@pytest.mark.slow
def test_the_embedded_model_leaves_the_lines_that_it_was_not_told_about(engine: Engine):
    old = "def mean(values: list[float]) -> float:\r\n    return sum(values) / len(values)\r\n"
    edited = engine.edit(EditRequest(old, 0, len(old), "raise ValueError if empty", Where(path="module.py")))
    head, *added, last, end = edited.text.split("\r\n")
    assert [f"{line}\r\n" for line in (head, last)] == old.splitlines(keepends=True)
    assert "raise ValueError" in "".join(added)
    assert end == ""


class TestByInstruction:
    """By a model that follows instructions: it sees the old lines in a conversation."""

    def asked(self, text: str, part: str, instruction: str, answer: str, path: str = "a.py") -> tuple[str, str, str]:
        """The new text, what the user is made to say, and the beginning of the answer."""
        model = ScriptedModel([completion(answer)], instructions=True)
        new = rewritten(text, part, instruction, model, path).text
        (request,) = model.requests
        assert request.suffix == ""
        assert [turn.role for turn in request.conversation] == ["system", "user"]
        assert not model.scored
        return new, request.conversation[-1].text, request.prefix

    def test_it_is_shown_the_lines_and_what_to_do_with_them(self):
        answer = MEDIAN.replace("values = sorted(values)", "values.sort()")
        new, said, begun = self.asked(MEDIAN + "\n\nx = 1\n", MEDIAN, "sort in place", answer)
        assert new == answer + "\n\nx = 1\n"
        assert "sort in place" in said
        assert said.endswith(f"```python\n{MEDIAN.rstrip()}\n```")
        assert begun == "```python\n"

    def test_indented_lines_are_shown_without_their_indentation_and_get_it_back(self):
        part = '    def mean(self, values):\n        """The mean."""\n        pass\n'
        answer = "def mean(self, values):\n    return sum(values)\n\n"
        new, said, _ = self.asked(DOCUMENTED, part, "write it", answer)
        assert new == "class A:\n    def mean(self, values):\n        return sum(values)\n\n    y = 2\n"
        assert '```python\ndef mean(self, values):\n    "' in said

    def test_a_part_of_a_line_is_written_anew_with_the_line(self):
        new, said, _ = self.asked(PLAIN, "0", "one instead", "return 1")
        assert new == PLAIN.replace("return 0", "return 1")
        assert "```python\nreturn 0\n```" in said

    def test_a_docstring_is_begun_inside_the_function(self):
        part = "def mean(values):\n    return 0\n"
        answer = 'the mean of the values."""\n    return 0'
        new, said, begun = self.asked(PLAIN, part, "write the docstring", answer)
        assert new == PLAIN.replace("    return 0", '    """Return the mean of the values."""\n    return 0')
        assert begun == '```python\ndef mean(values):\n    """Return '
        assert "return 0" in said

    @pytest.mark.parametrize("case", SOMETHING_TO_LOSE)
    def test_nothing_is_refused(self, case: str):
        path, text, part, instruction = SOMETHING_TO_LOSE[case]
        self.asked(text, part or text, instruction, "", path)

    @pytest.mark.parametrize(
        ("answer", "reason", "why"),
        [
            (MEDIAN[:40], "length", "longer than the tokens"),
            (MEDIAN, "deadline", "time was up"),
            (MEDIAN, "loop", "repeat itself"),
            ("Here is the code:\n\n" + MEDIAN, "end", "would have broken"),
            (MEDIAN + "    if (", "end", "would have broken"),
            ("", "end", "^$"),
        ],
    )
    @pytest.mark.parametrize("edits", [True, False])
    def test_old_lines_give_way_to_a_whole_answer_alone(self, answer: str, reason: FinishReason, why: str, edits: bool):
        edited = rewritten(
            MEDIAN + "\nx = 1\n",
            MEDIAN,
            "sort",
            ScriptedModel([completion(answer, reason)], edits=edits, instructions=not edits),
        )
        assert (edited.text, edited.changes) == (MEDIAN + "\nx = 1\n", ())
        assert re.search(why, edited.unused)

    def test_what_it_repeats_keeps_the_blanks_at_the_ends_of_its_lines(self):
        old = "class A:\n    def f(self):  \n        a = 1\n        \n\x0c\n        return a\t\n\n\n\nx = 1\n"
        new, said, _ = self.asked(
            old, old[9 : old.index("\n\n\n\n")], "2", "def f(self):\n    a = 2\n\n\n    return a\n\n\n"
        )
        assert new == old.replace("a = 1", "a = 2")
        assert said.endswith("```python\ndef f(self):  \n    a = 1\n\n\n    return a\n```")

    def test_line_breaks_and_tabs_stay_as_they_are(self):
        old = "type A struct {\r\n\tx int\r\n\ty int\r\n}\r\n\r\nvar a A\r\n"
        new, said, _ = self.asked(old, "\tx int\r\n\ty int\r\n", "add z", "x int\ny int\nz int\n", "a.go")
        assert new == old.replace("y int", "y int\r\n\tz int")
        assert "\nx int\ny int\n```" in said

    def test_a_fence_in_the_lines_does_not_end_the_answer(self):
        old = "# Use\n\n```sh\nmake\n```\n\nThe end.\n"
        new, said, begun = self.asked(old, old, "say install", old.replace("make", "make install"), "a.md")
        assert new == old.replace("make", "make install")
        assert "````markdown\n# Use\n" in said
        assert begun == "````markdown\n"

    def test_it_may_be_as_much_longer_than_the_old_lines_as_tokens_are_allowed(self):
        model = ScriptedModel([completion("")], instructions=True)
        long = "x = [\n" + "    1,\n" * 900 + "]\n"
        rewrite(model, EditRequest(long, 0, len(long), "2", Where(path="a.py"), Decoding(max_tokens=20)))
        assert model.requests[0].decoding.max_tokens > 20 + 900

    @pytest.mark.parametrize(
        ("decoding", "policy"),
        [(Decoding(), "lookup:8"), (Decoding("autoregressive"), "autoregressive"), (Decoding(temperature=1.0), "auto")],
    )
    def test_it_is_copied_from_the_old_lines_where_nothing_else_is_asked_for(self, decoding: Decoding, policy: str):
        model = ScriptedModel([completion("")], instructions=True)
        rewrite(model, EditRequest(PLAIN, 0, len(PLAIN), "2", decoding=decoding))
        assert model.requests[0].decoding.policy == policy

    def test_a_hole_is_filled_in_its_place(self):
        model = ScriptedModel([completion("self.items")], instructions=True)
        code = "def size(self):\n    return len(<fill>)\n"
        assert rewritten(code, "<fill>", "the items", model).text == code.replace("<fill>", "self.items")
        assert not model.requests[0].conversation

    def test_while_it_is_written_its_lines_are_shown_where_they_will_stand(self):
        model = ScriptedModel([completion("y = 3")], instructions=True)
        start = DOCUMENTED.index("    y = 2")
        request = EditRequest(DOCUMENTED, start, len(DOCUMENTED), "three", where=Where(path="a.py"))
        update, _ = stream_rewrite(model, request)
        assert isinstance(update, RegionUpdate)
        assert (update.start, update.end) == (start, len(DOCUMENTED) - 1)
