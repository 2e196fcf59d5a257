"""Repair: what is wrong is put right, what is sound is left alone unless the model is much surer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coder.api.completion import Where
from coder.api.text_requests import Diagnostic, Edited, RepairRequest
from coder.api.wire import nested
from coder.editing.changes import apply_changes
from coder.editing.repair import REACH, repair
from coder.engine.engine import Engine
from coder.errors import InputError
from coder.syntax import tree
from coder.syntax.mutations.mutations import MUTATIONS, SYNTAX_MUTATIONS, Mutation, mutate
from coder.syntax.slips import LONGEST_NAME
from coder.syntax.soundness import LONGEST_COMPILED, is_sound
from coder.syntax.tree import brokenness
from tests.editing.several_defects import SEVERAL
from tests.scripted import ScriptedModel, completion

SOUND = """\
def total(values, limit):
    result = 0
    for value in values:
        if value < limit:
            result += value
    return result
"""


def repaired(text: str, model: ScriptedModel, **settings) -> Edited:
    edited = repair(model, nested(RepairRequest, {"text": text, "path": "module.py", **settings}))
    assert apply_changes(text, edited.changes) == edited.text
    assert bool(edited.changes) == (edited.text != text)
    return edited


def test_sound_code_is_left_alone():
    edited = repaired(SOUND, ScriptedModel())
    assert (edited.text, edited.changes, edited.score_before, edited.score_after) == (SOUND, (), 0.0, 0.0)


DAMAGE = [
    ("values:\n", "values\n"),
    ("limit):", "limit:"),
    ("    for", "  for"),
    ("return", "retrun"),
    ("value <", "value value <"),
    ("result = 0", "result  0"),
]


@pytest.mark.parametrize(("right", "wrong"), DAMAGE)
def test_of_what_makes_broken_code_sound_the_likeliest_is_taken(right, wrong):
    edited = repaired(SOUND.replace(right, wrong, 1), ScriptedModel(likes=(right,)))
    assert edited.text == SOUND
    assert edited.score_after > edited.score_before
    assert edited.passes > 0


def test_an_undefined_name_becomes_one_that_looks_like_it():
    assert repaired(SOUND.replace("return result", "return reslt"), ScriptedModel()).text == SOUND
    assert (
        repaired(SOUND.replace("return result", "return outcome"), ScriptedModel(likes=("return result",))).text
        == SOUND
    )


def test_several_defects_are_repaired_at_once():
    broken = SOUND.replace("values:\n", "values\n").replace("return result", "return resutl")
    assert repaired(broken, ScriptedModel(likes=("values:",))).text == SOUND


@pytest.mark.parametrize(("path", "what"), SEVERAL)
def test_small_defects_are_mended_one_by_one(path: str, what: str):
    broken, right = SEVERAL[path, what]
    missing = [line.strip() for line in right.splitlines() if line not in broken.splitlines()]
    model = ScriptedModel(likes=tuple(line for line in missing if len(line) > 1))
    edited = repair(model, RepairRequest(broken, where=Where(path=path)))
    assert edited.text == right
    assert edited.broken_line is None
    assert not model.requests, "no line is written anew"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(SYNTAX_MUTATIONS), st.integers(0, 500)), min_size=1, max_size=3))
def test_what_is_written_compiles_or_nothing_is_written(damage: list[tuple[Mutation, int]]):
    """Each of the mutations damages lines of its own."""
    lines: list[str] = [*SOUND.split("\n")]
    for mutation, seed in damage:
        mutant = mutate(SOUND, mutation, seed)
        for row, line in enumerate(mutant.text.split("\n")[: len(lines)] if mutant else ()):
            lines[row] = line if line != SOUND.split("\n")[row] else lines[row]
    broken = "\n".join(lines)
    edited = repaired(broken, ScriptedModel())
    if edited.broken_line is None:
        compile(edited.text, "module.py", "exec")
    else:
        assert edited.text == broken
        with pytest.raises(SyntaxError):
            compile(broken, "module.py", "exec")


def test_what_cannot_be_mended_is_left_alone_and_its_line_named():
    broken = SOUND.replace("result = 0", "= = 0 ) [").replace("values:\n", "values\n")
    edited = repaired(broken, ScriptedModel())
    assert (edited.text, edited.broken_line) == (broken, 2)


def test_an_undefined_name_that_looks_like_no_other_is_left_alone():
    text = "def f(path):\n    return os.path.split(path)\n"
    assert repaired(text, ScriptedModel()).text == text


def test_code_that_is_newer_than_the_interpreter_is_left_alone():
    newer = 'def f(user):\n    return f"{user["name"]}: {user["age"]}"\n\n\ntype X[T] = list[T]\n'
    assert repaired(newer, ScriptedModel(likes=("get",))).text == newer


def test_a_slip_is_undone_where_the_model_is_much_surer():
    slip = SOUND.replace("<", "<=")
    sure = ScriptedModel(likes=("value < limit",), alternatives=(" <",))
    assert repaired(slip, sure).text == SOUND
    assert repaired(slip, ScriptedModel(alternatives=(" <",))).text == slip


def test_what_is_said_to_be_wrong_needs_no_great_certainty():
    slip = SOUND.replace("return result", "result")
    place = slip.rindex("result")
    diagnosed = (Diagnostic(place, place + 6, "no effect"),)
    likes = ScriptedModel(likes=("return",), alternatives=("    return",))
    assert repaired(slip, likes, diagnostics=diagnosed).text == SOUND


@given(st.sampled_from(MUTATIONS), st.integers(0, 200), st.data())
def test_nothing_outside_the_region_changes_and_soundness_only_grows(mutation, seed, data):
    mutant = mutate(SOUND, mutation, seed)
    if mutant is None:
        return
    start = data.draw(st.integers(0, len(mutant.text)))
    end = data.draw(st.integers(start, len(mutant.text)))
    model = ScriptedModel(likes=("value < limit", "return"), alternatives=(" <", " value", " return"))
    edited = repaired(mutant.text, model, start=start, end=end)
    assert edited.text.startswith(mutant.text[:start])
    assert edited.text.endswith(mutant.text[end:])
    if edited.changes:
        sounder = (brokenness(edited.text, "python") or 0) <= (brokenness(mutant.text, "python") or 0)
        assert is_sound(edited.text, "python") or sounder


def test_where_no_small_change_helps_the_line_is_written_anew():
    broken = SOUND.replace("result = 0", "= = 0 ) [")
    edited = repaired(broken, model := ScriptedModel([completion("result = 0")]))
    assert edited.text == SOUND
    request = model.requests[0]
    assert request.prefix.endswith("limit):\n    ")
    assert request.suffix.startswith("\n    for")
    assert request.constraints.max_lines == 1, "what is written ends with the line"


def test_when_time_is_up_or_nobody_waits_nothing_changes():
    broken = SOUND.replace("values:\n", "values\n")
    assert repaired(broken, ScriptedModel(), deadline_ms=0.0).text == broken
    cancelled = threading.Event()
    cancelled.set()
    assert repair(ScriptedModel(), RepairRequest(broken, where=Where(path="a.py")), cancelled).text == broken


LONG = "y" * 30_000

LONG_LINES = {
    "the name is undefined": f"def f(value):\n    return {LONG}\n",
    "the name is another": f"{LONG} = 1\n\ndef f(value):\n    return vlaue\n",
    "a name is much like it": f"{LONG} = 1\nprint({LONG}y)\nx = (\n",
    "the name is on the line": f"def f(value):\n    {LONG} = vlaue\n",
    "the line is a string": f"def f(value):\n    x = '{LONG}' + vlaue\n",
    "the line is words": f"def f(value):\n    x = [{'1, ' * 2_000}] + vlaue\n",
    "the line is broken": f"def f(value):\n    x = (vlaue, '{LONG}'\n",
}


@pytest.mark.parametrize("text", LONG_LINES.values(), ids=LONG_LINES)
def test_the_model_reads_little_of_a_long_line(text):
    model = ScriptedModel(likes=("value",))
    edited = repaired(text, model)
    assert all(len(text) <= 2 * REACH + LONGEST_NAME for *_, text in model.scored)
    if edited.text != text:
        assert edited.text == text.replace("vlaue", "value").replace("= (\n", "= ()\n")


@pytest.mark.parametrize(("right", "wrong"), DAMAGE)
def test_a_text_that_is_too_long_to_compile_is_mended_or_left_alone(right: str, wrong: str):
    """The compiler, which the repair does not ask about all of it, finds nothing wrong with what was changed."""
    functions = LONGEST_COMPILED // len(SOUND) + 1
    around = [SOUND.replace("total", f"total_{number}") for number in range(functions)]
    around[functions // 2] = around[functions // 2].replace(right, wrong, 1)
    broken = "".join(around)
    edited = repaired(broken, ScriptedModel([completion("    return result")], likes=(right,)))
    if edited.text != broken:
        compile(edited.text, "module.py", "exec")


class Impatient:
    """Set once it was asked so many times. What is parsed afterwards is counted."""

    def __init__(self, patience: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.patience = patience
        self.parsed = 0
        parse = tree.parse

        def counting(text: str, language: str):
            self.parsed += self.patience <= 0
            return parse(text, language)

        monkeypatch.setattr(tree, "parse", counting)

    def is_set(self) -> bool:
        self.patience -= 1
        return self.patience <= 0


@pytest.mark.parametrize("patience", [1, 2, 20, 400, 700])
def test_when_nobody_waits_any_more_hardly_anything_is_parsed(patience, monkeypatch):
    broken = SOUND.replace("limit):", "limit:").replace("return result", "return reslt")
    impatient = Impatient(patience, monkeypatch)
    repair(ScriptedModel(), RepairRequest(broken, where=Where(path="a.py")), impatient)
    assert impatient.patience <= 0
    assert impatient.parsed <= 5


@pytest.mark.parametrize("path", ["a.klingon", None, "a.json"])
def test_an_unknown_language_is_left_alone(path):
    assert repair(ScriptedModel(), RepairRequest("x = (", where=Where(path=path))).text == "x = ("


def test_other_languages_are_repaired_where_a_grammar_says_they_are_broken():
    sound = "function f(a) {\n  return g(a, 1);\n}\n"
    edited = repair(
        ScriptedModel(likes=("1);",)), RepairRequest(sound.replace("1)", "1"), where=Where(language="javascript"))
    )
    assert edited.text == sound


@pytest.mark.parametrize(("start", "end"), [(-1, 3), (4, 2), (0, 1000)])
def test_a_region_outside_the_text_is_refused(start, end):
    with pytest.raises(InputError, match="outside the text"):
        repair(ScriptedModel(), RepairRequest(SOUND, start, end))


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = Engine.load(threads=2)
    yield engine
    engine.close()


@pytest.mark.slow
def test_the_embedded_model_repairs_broken_code_and_leaves_sound_code_alone(engine: Engine):
    assert engine.repair(RepairRequest(SOUND, where=Where(path="module.py"))).text == SOUND
    mutants = [mutant for mutation in SYNTAX_MUTATIONS if (mutant := mutate(SOUND, mutation, seed=3)) is not None]
    repaired = [engine.repair(RepairRequest(mutant.text, where=Where(path="module.py"))).text for mutant in mutants]
    assert all(is_sound(text, "python") for text in repaired)
    assert sum(text == SOUND for text in repaired) >= len(mutants) // 2


@pytest.mark.slow
def test_token_scores_add_up_to_the_score_of_the_text(engine: Engine):
    scores = engine.score_tokens("def f(a, b):\n", "", "    return a + né\n")
    total = engine.score("def f(a, b):\n", "", "    return a + né\n").log_probability
    # Beside a token the end is no alternative, so the text is somewhat likelier than where it is one.
    assert 0.0 <= sum(score.log_probability for score in scores) - total < 1.0
    assert scores[0].start == 0
    assert scores[-1].end == len("    return a + né\n")
    assert all(first.end == second.start for first, second in pairwise(scores))
    assert all(len(score.alternatives) == 8 for score in scores)
