"""One good answer at every door: the model's text as it fits its place, by a real engine and a scripted model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, Constraints, Decoding, Shape, Where
from coder.api.wire import nested
from coder.engine.engine import Engine
from coder.model.checkpoint.opening import open_checkpoint
from tests.scripted_runtime import ONE_TOKEN_A_PASS, ScriptedRuntime, scripted_engine
from tests.tiny import write_tiny_checkpoint

FAMILY = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"

Ask = Callable[..., Completion]


@pytest.fixture
def answer(tmp_path: Path) -> Iterator[Ask]:
    engines: list[Engine] = []

    def ask(
        answers: dict[str, str], prefix: str, suffix: str = "", shape: Shape = "auto", **settings: Any
    ) -> Completion:
        engine = scripted_engine(tmp_path / str(len(engines)), answers)
        engines.append(engine)
        return engine.complete(
            nested(CompletionRequest, {"prefix": prefix, "suffix": suffix, "shape": shape, **settings})
        )

    yield ask
    for engine in engines:
        engine.close()


@pytest.mark.parametrize(
    ("path", "prefix", "suffix", "written", "text"),
    [
        ("t.py", "def f(a, b):\n\ta += 1\n\t", "\n", "    return a * b", "return a * b"),
        ("t.py", "def f(a, b):\n\t", "\n", "\tif a:\n\t\treturn b\n\treturn a", "if a:\n\t\treturn b\n\treturn a"),
        ("t.go", "func f(a int) int {\n\t", "\n}\n", "    return a", "return a"),
        ("t.js", "function f(a) {\n\t", "\n}\n", "    return a;", "return a;"),
        ("t.ts", "function f(a) {\n  ", "\n}\n", "    return a;", "return a;"),
        ("t.py", "def mean(values):\n    ", "\n", "        return 0", "return 0"),
        ("a.rs", "impl P {\n\tfn f(&self) -> i32 {\n\t\t", "\n\t}\n}\n", "        self.x", "self.x"),
        ("A.java", "class A {\n\tint f() {\n\t\t", "\n\t}\n}\n", "        return 1;", "return 1;"),
        ("a.cpp", "int f(int a) {\n  ", "\n}\n", "    return a;", "return a;"),
        ("a.yml", "a:\n  b: 1\n  ", "\n", "  c:\n    d: 1", "c:\n    d: 1"),
        ("Makefile", "main: main.c\n", "\n", "    cc main.c", "\tcc main.c"),
        ("t.py", "def mean(values):\r\n    ", "\r\n", "    a = 1\n    return a", "a = 1\r\n    return a"),
        ("t.js", "function f(a) {\r\n\t", "\r\n}\r\n", "    a += 1;\n    return a;", "a += 1;\r\n\treturn a;"),
        ("t.py", "def mean(values):\n    ", "\n", "    return 0\n\n\ndef g():\n    pass\n", "return 0"),
    ],
)
def test_indentation_is_the_cursors(answer: Ask, path: str, prefix: str, suffix: str, written: str, text: str):
    shown = prefix.replace("\r\n", "\n").rstrip(" \t")
    assert answer({shown: written}, prefix, suffix, path=path).text == text
    raw = answer({prefix: written}, prefix, suffix, path=path, shape="raw")
    assert raw.text == written


def test_a_file_begins_with_no_blank_lines(answer: Ask):
    written = "\n\ndef main():\n    return 1\n"
    assert answer({"": written}, "", "\nmain()\n", path="t.py").text == "def main():\n    return 1"
    assert answer({"": written}, "", path="t.py", shape="raw").text == written
    assert answer({"# A": "\n\nx = 1"}, "# A", path="t.py").text == "\n\nx = 1"


@pytest.mark.parametrize("path", ["t.py", "t.js", "t.go", "t.rs", "t.ts", "Main.java", "t.c", "t.txt", None])
@pytest.mark.parametrize("shape", ["auto", "line", "block"])
def test_in_an_empty_file_nothing_is_written_and_the_model_is_not_asked(answer: Ask, path: str | None, shape: Shape):
    for prefix, suffix in (("", ""), ("\n", "\n"), ("", "\n  \n")):
        empty = answer({"": "-s" * 99}, prefix, suffix, path=path, shape=shape)
        assert (empty.text, empty.finish_reason, empty.passes, empty.statistics.prefill_tokens) == ("", "end", 0, 0)
    bounded = answer({"": "x = 1\ny = 2"}, "", shape=shape, constraints=Constraints(min_lines=2))
    assert bounded.text, "who says how long it is wants some"


@pytest.mark.parametrize(
    ("path", "prefix", "written", "text"),
    [
        ("t.py", "def f(a):", " return a\ndef g(a): return a\ndef h(a): return a", " return a"),
        ("t.py", "def f(a):", "\n    return a\ndef g(a): return a", "\n    return a"),
        ("t.py", "if a:", " f()\nelse: g()\nh()", " f()\nelse: g()"),
        ("t.py", "x = 1", "\ny = 2\nz = 3", "\ny = 2\nz = 3"),
    ],
)
def test_a_statement_that_has_its_body_on_its_own_line_is_finished(
    answer: Ask, path: str, prefix: str, written: str, text: str
):
    assert answer({prefix: written}, prefix, "\n", path=path).text == text


def test_where_the_model_would_write_elsewhere_it_is_shown_the_blanks(answer: Ask):
    prefix = "def f(a):\n    if a:\n        b = a\n        "
    scripts = {prefix.rstrip(" "): "    return 0", prefix: "return b"}
    assert answer(scripts, prefix, "\n").text == "return b"


def test_where_the_model_loops_without_the_blanks_it_is_shown_them(answer: Ask):
    prefix = "for (i = 0; i < n; i++) {\n\t"
    scripts = {prefix.rstrip("\t"): "    s s s s s s s s s s s s", prefix: "use(i);"}
    assert answer(scripts, prefix, "\n}\n", path="t.js").text == "use(i);"


@pytest.mark.parametrize(
    ("prefix", "suffix", "written", "text"),
    [
        ('print(f"hello {', '")\n', 'name}")\nprint(1)\n', "name}"),
        ('print(f"hello {', '}")\n', 'name}")\nprint(1)\n', "name"),
        ("x = max(a", ", b)\n", ", c, b)\n", ", c"),
        ("total = add(", ")\n", "1, 2)\n", "1, 2)"),
        ("def f(", "):\n    pass\n", "a, b):", "a, b"),
        ("x=", "  # the largest\n", "max(a, b", "max(a, b)"),
        ("x=", "  # the largest\n", "max(a, ", "max(a)"),
        ("x = [a,", ", c]\n", "f(b[0", "f(b[0])"),
    ],
)
def test_a_part_of_a_line_ends_where_the_line_goes_on(answer: Ask, prefix, suffix, written, text):
    assert answer({prefix: written}, prefix, suffix, path="t.py").text == text


def test_a_line_above_is_not_said_again(answer: Ask):
    prefix = "class A:\n    def f(self):\n        return 1\n"
    assert answer({prefix: "        return 1\n"}, prefix, "\n    def g(self):\n        return 2\n").text == ""


def test_a_comment_ends_without_blanks(answer: Ask):
    assert answer({"# The sum": " of a and b   \t "}, "# The sum", "\n", path="t.py").text == " of a and b"


@pytest.mark.parametrize(
    "written",
    [
        "-s" * 100,
        "0, " * 200,
        "á + 0." + "0" * 300,
        "1, " + "0, " * 256,
        ", ".join(map(str, range(300))),
        "\n".join(["x = f(x)"] * 50),
        "\n".join(["a = 1", "b = 2"] * 30),
    ],
    ids=["in a word", "numbers", "digits", "numbers behind another", "counting", "a line", "lines"],
)
def test_a_loop_ends_the_decoding_early(answer: Ask, written: str):
    completion = answer({"": written}, "", "\nz = 0\n", path="t.py")
    assert completion.finish_reason == "loop"
    assert completion.tokens < 230
    assert completion.text in ("", "x = f(x)", "a = 1\nb = 2")
    assert answer({"": written[:60]}, "", path="t.py", shape="raw").text == written[:60]


def test_a_single_line_ends_at_its_end(answer: Ask):
    completion = answer({"x =": " 1\ny = 2\nz = 3\nprint(x, y, z)\n"}, "x =", max_tokens=200, shape="line")
    assert (completion.text, completion.finish_reason) == (" 1", "end")
    assert completion.passes < 10


def test_a_block_ends_with_its_scope_without_further_passes(answer: Ask):
    written = "\n    return a + b\n\n\ndef g(a, b):\n" + "    a += 1\n" * 100
    completion = answer({"def f(a, b):": written}, "def f(a, b):", path="t.py")
    assert (completion.text, completion.finish_reason) == ("\n    return a + b", "end")
    assert completion.passes < 40


def test_brackets_that_the_limit_left_open_are_closed(answer: Ask):
    prefix = "def verify_value(key, value, signature):\n    "
    written = "    return hmac.new(key, value, signature).hexdigest()"
    completion = answer({prefix.rstrip(" "): written}, prefix, max_tokens=26, path="t.py")
    assert completion.finish_reason == "length"
    assert completion.text.startswith("return hmac.new(key,") and completion.text.endswith(")")
    compile(prefix + completion.text, "t.py", "exec")


@pytest.mark.parametrize("tokens", range(1, 12))
@pytest.mark.parametrize("shape", ["auto", "raw"])
def test_half_a_character_never_leaves_the_engine(tmp_path: Path, tokens: int, shape):
    prefix = f"x = '{FAMILY}', '"
    engine = scripted_engine(tmp_path, {prefix: f"{FAMILY}', '{FAMILY}'"})
    request = CompletionRequest(prefix, shape=shape, decoding=Decoding(max_tokens=tokens))
    for event in engine.stream(request):
        text = event.settled + event.stays if isinstance(event, CanvasUpdate) else event.text
        assert "\ufffd" not in text
    engine.close()


def test_the_answer_that_parses_comes_first(tmp_path: Path):
    """The likeliest answer breaks the text; those that are drawn besides do not."""

    class TwoMinds(ScriptedRuntime):
        def forward(self, cache, request):
            undecided = [self._rest([*cache.tokens, *request.tokens]) == b" = 1" for _ in request.wanted]
            predictions = super().forward(cache, request)
            for row in np.flatnonzero(undecided):
                predictions.tokens[row, 1] = self._first_token(b"2")
                predictions.probabilities[row, :2] = 0.5, 0.49
            return predictions

    checkpoint = open_checkpoint(str(write_tiny_checkpoint(tmp_path)))
    runtime = TwoMinds(checkpoint, {"x =": " = 1", "x =2": "\n"})
    engine = Engine(runtime, checkpoint, "scripted", ONE_TOKEN_A_PASS)
    completion = engine.complete(
        CompletionRequest("x =", samples=2, shape="auto", where=Where(path="t.py"), decoding=Decoding(seed=1))
    )
    engine.close()
    assert (completion.text, [other.text for other in completion.alternatives]) == ("2", [" = 1"])


def test_while_it_is_written_an_answer_tells_what_stays(tmp_path: Path):
    prefix = "def f(a):\n    "
    written = "    b = a\n    c = b\n    return c\n\n\ndef g():\n    pass\n"
    engine = scripted_engine(tmp_path, {prefix.rstrip(" "): written})
    told = list(engine.stream(CompletionRequest(prefix, "\n", shape="auto", where=Where(path="t.py"))))
    engine.close()
    *updates, completion = told
    assert isinstance(completion, Completion) and completion.text == "b = a\n    c = b\n    return c"
    stays = [update.stays for update in updates if isinstance(update, CanvasUpdate)]
    assert all(completion.text.startswith(text) for text in stays)
    assert "b = a" in stays


@pytest.mark.parametrize(
    ("path", "prefix", "written", "first"),
    [
        (
            "t.go",
            "package a\n\nfunc f() error {\n\terr := g()\n\t",
            "if err != nil {\n\t\treturn err\n\t}",
            "if err != nil {",
        ),
        ("t.ts", "function f(a: number[]) {\n  ", "for (const b of a) {\n    g(b);\n  }", "for (const b of a) {"),
        ("T.java", "class T {\n  void f(int a) {\n    ", "if (a > 0) {\n      g(a);\n    }", "if (a > 0) {"),
        ("t.py", "def f(a):\n    ", "for b in a:\n        print(\n            b,\n        )", "for b in a:"),
        ("t.ts", "function f(a) {\n  const broken = ;\n  ", "if (a) {\n    g(a);\n  }", "if (a) {"),
        ("t.py", "def f(a):\n    ", "g(\n        a,\n    )", "g("),
    ],
)
def test_the_line_that_begins_a_block_stays_before_the_block_is_written(
    tmp_path: Path, path: str, prefix: str, written: str, first: str
):
    ends = "\n}\n}\n" if path == "T.java" else "\n}\n" if path != "t.py" else "\n"
    hidden = prefix[len(prefix.rstrip(" \t")) :]
    engine = scripted_engine(tmp_path, {prefix.rstrip(" \t"): hidden + written})
    *updates, completion = engine.stream(CompletionRequest(prefix, ends, shape="auto", where=Where(path=path)))
    engine.close()
    assert isinstance(completion, Completion) and completion.text == written
    stays = [update.stays for update in updates if isinstance(update, CanvasUpdate)]
    assert all(completion.text.startswith(text) for text in stays)
    assert first in stays


def test_a_first_line_that_no_block_makes_right_does_not_stay(tmp_path: Path):
    prefix = "package a\n\nfunc f() error {\n\t"
    engine = scripted_engine(tmp_path, {prefix.rstrip("\t"): "\tif err != {\n\t\treturn err\n\t}"})
    told = list(engine.stream(CompletionRequest(prefix, "\n}\n", shape="auto", where=Where(path="t.go"))))
    engine.close()
    assert not any(update.stays for update in told if isinstance(update, CanvasUpdate))


@pytest.mark.parametrize("shape", ["raw", "line", "block"])
@pytest.mark.parametrize(("line_break", "written"), [("\n", "2\n"), ("\r\n", "2\n"), ("\n", "2")])
def test_a_line_break_that_the_model_writes_behind_its_answer_is_the_one_that_is_there(
    tmp_path: Path, shape: Shape, line_break: str, written: str
):
    folder = write_tiny_checkpoint(tmp_path)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["quickfill"]["ending"] = {"never_first": True, "line_break": True}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    checkpoint = open_checkpoint(str(folder))
    answers = {"y = ": written, "y =": f" {written}"}  # without the blank, where it is the model's to write
    engine = Engine(ScriptedRuntime(checkpoint, answers), checkpoint, "scripted", ONE_TOKEN_A_PASS)
    request = CompletionRequest(
        f"x = 1{line_break}y = ", f"{line_break}z = 3{line_break}", shape=shape, where=Where("a.py")
    )
    *updates, answer = engine.stream(request)
    engine.close()
    assert isinstance(answer, Completion)
    assert (answer.text, answer.replaces, answer.finish_reason) == ("2", 0, "end")
    assert {update.settled for update in updates if isinstance(update, CanvasUpdate)} <= {"", "2"}


@pytest.mark.parametrize(
    ("constraints", "text"),
    [(Constraints(), "f([1])"), (Constraints(max_characters=5), "f([1"), (Constraints(without=")"), "f([1")],
)
def test_what_is_added_to_an_answer_keeps_its_bounds(tmp_path: Path, constraints: Constraints, text: str):
    engine = scripted_engine(tmp_path, {"x = ": "f([1", "x =": " f([1"})
    request = CompletionRequest("x = ", "\n", shape="auto", where=Where(path="t.py"), constraints=constraints)
    assert engine.complete(request).text == text
    engine.close()
