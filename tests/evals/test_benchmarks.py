"""The tasks of every benchmark are those that are published, and their canonical answers are right."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path

import pytest

from coder.errors import InputError
from evals.benchmarks.benchmark import Benchmark
from evals.benchmarks.bias import Bias
from evals.benchmarks.catalog import BENCHMARKS, open_benchmark
from evals.benchmarks.humaneval import HumanEval
from evals.benchmarks.infilling import MultiLine, RandomSpan, SingleLine
from evals.benchmarks.multi_hole import MultiHole
from evals.benchmarks.repair import HumanEvalRepair
from evals.benchmarks.safim import SafimApi, SafimBlock, SafimControl, same_expression
from evals.execution import Executor
from evals.task import Broken, Holes, Infill, InstructedRegion, Task
from tests.evals.conftest import FILES

FILE_OF = {
    "mbpp": "mbpp.jsonl",
    "mbpp-sanitized": "sanitized-mbpp.json",
    "mbpp-plus": "mbppplus.jsonl",
    "humaneval-plus": "HumanEvalPlus.jsonl",
    "safim-block": "safim.jsonl",
    "canitedit": "canitedit.jsonl",
}

PUBLISHED = {
    SingleLine: (1033, "b8fd535e01b1634abd3606d4aa83a4a69fbad2f7efe236b62abfa233a423430f"),
    MultiLine: (5815, "e70156f037fe55e67bee7e532745e3ffd3b48aef1fe375f48f71ccc2d92762a1"),
}
"""Rows, and SHA-256 of them as JSON lines with sorted keys, of the data files of github.com/openai/human-eval-infilling
at commit 88062ff9859c875d04db115b698ed4b0f0395170."""


def opened(name: str) -> Benchmark:
    return open_benchmark(name, FILES / FILE_OF[name] if name in FILE_OF else None)


def failures(benchmark: Benchmark, tasks: list[Task], executor: Executor) -> list[tuple[str, str]]:
    """The tasks whose canonical answer does not pass, with what was said of it."""
    verdicts = executor.check_all(benchmark.run(task, task.canonical) for task in tasks)
    return [(verdict.task_id, verdict.detail) for verdict in verdicts if not verdict.passed]


@pytest.mark.parametrize("benchmark", PUBLISHED)
def test_line_holes_are_the_published_ones_byte_for_byte(benchmark: type[SingleLine] | type[MultiLine]):
    rows = list(benchmark().rows())
    content = "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows)
    assert (len(rows), hashlib.sha256(content.encode("ascii")).hexdigest()) == PUBLISHED[benchmark]


def test_line_holes_have_the_published_names():
    assert [task.task_id for task in SingleLine().tasks()[:2]] == [
        "SingleLineInfilling/HumanEval/0/L0",
        "SingleLineInfilling/HumanEval/0/L1",
    ]
    names = [task.task_id for task in MultiLine().tasks()]
    assert names[1] == "MultiLineInfilling/HumanEval/0/L0_L1"
    assert len(set(names)) == len(names)


def test_random_spans_are_the_same_every_time_and_leave_the_text_whole():
    tasks = RandomSpan().tasks()
    assert len(tasks) == 1640
    assert [task.digest for task in tasks] == [task.digest for task in RandomSpan().tasks()]
    whole = {task.task_id: task.program(task.canonical) for task in HumanEval().tasks()}
    for task in tasks:
        _, name, number, _ = task.task_id.split("/")
        assert task.program(task.canonical) == whole[f"{name}/{number}"]
        assert task.canonical


def test_a_published_file_is_read_instead(executor: Executor):
    benchmark = RandomSpan(FILES / "infilling.jsonl")
    (task,) = benchmark.tasks()
    assert task.question == Infill("def add(x, y):\n    ret", " y\n")
    assert not failures(benchmark, [task], executor)


@pytest.mark.parametrize("name", ["humaneval", "humaneval-infilling-single-line", "multi-hole", "repair"])
def test_canonical_answers_are_right_in_a_sample(name: str, executor: Executor):
    benchmark = opened(name)
    tasks = random.Random(0).sample(benchmark.tasks(), 12)
    assert not failures(benchmark, tasks, executor)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["humaneval", "humaneval-infilling-single-line"])
def test_all_canonical_answers_are_right(name: str, executor: Executor):
    benchmark = opened(name)
    tasks = benchmark.tasks()
    assert len(tasks) in (164, 1033)
    assert not failures(benchmark, tasks, executor)


@pytest.mark.slow
def test_canonical_answers_to_multi_line_holes_are_right(executor: Executor):
    benchmark = MultiLine()
    assert not failures(benchmark, random.Random(0).sample(benchmark.tasks(), 500), executor)


@pytest.mark.parametrize("name", FILE_OF)
def test_canonical_answers_of_published_files_are_right(name: str):
    benchmark = opened(name)
    runnable = [task for task in benchmark.tasks() if benchmark.executed(task)]
    assert runnable
    with Executor(packages=tuple(package for package in benchmark.packages if package == "numpy")) as executor:
        assert not failures(benchmark, runnable, executor)


@pytest.mark.parametrize("name", FILE_OF)
def test_wrong_answers_to_published_files_fail(name: str):
    benchmark = opened(name)
    runnable = [task for task in benchmark.tasks() if benchmark.executed(task)]
    wrong = {"safim-block": "print(a)"}.get(name, "    return None\n" if name == "humaneval-plus" else "x = 1\n")
    with Executor() as executor:
        verdicts = list(executor.check_all(benchmark.run(task, wrong) for task in runnable))
    assert not any(verdict.passed for verdict in verdicts)


@pytest.mark.parametrize("name", [name for name, kind in BENCHMARKS.items() if kind.file_form])
def test_a_benchmark_without_its_file_says_which_it_needs(name: str, tmp_path: Path):
    with pytest.raises(InputError, match="--tasks FILE"):
        open_benchmark(name)
    other = tmp_path / "other.jsonl"
    other.write_text('{"task_id": 11}\n')
    with pytest.raises(InputError, match="lacks"):
        open_benchmark(name, other).tasks()


def test_an_unknown_benchmark_is_refused_with_those_that_exist():
    with pytest.raises(InputError, match="humaneval-infilling-single-line"):
        open_benchmark("humanevil")


def test_mbpp_is_the_test_split_with_the_published_prompt():
    tasks = opened("mbpp").tasks()
    assert [task.task_id for task in tasks] == ["MBPP/11", "MBPP/510"]
    assert tasks[0].question.prefix == (
        '"""\nWrite a function to find the shared elements of two tuples.\n'
        'assert shared((3, 4, 5), (5, 7, 4)) == (4, 5)\n"""\n'
    )
    assert tasks[1].entry_point == "norm"
    assert "\r" not in tasks[0].canonical


@pytest.mark.parametrize(
    ("name", "text", "cut"),
    [
        ("humaneval", "    return 1\n\n\ndef other():\n", "    return 1\n\n"),
        ("humaneval", "    if x:\n        return 1\nif y:", "    if x:\n        return 1"),
        ("humaneval", "    return 1\n# done", "    return 1"),
        ("mbpp", 'def f():\n    return 1\n"""\nmore', "def f():\n    return 1"),
        ("humaneval-infilling-single-line", "    x\ndef f():", "    x\ndef f():"),
        ("canitedit", "x = 1\n## Instruction:\nmore", "x = 1\n"),
    ],
)
def test_answers_are_cut_as_published(name: str, text: str, cut: str):
    benchmark = opened(name)
    assert benchmark.truncate(benchmark.tasks()[0], text) == cut


def test_safim_cuts_blocks_where_the_structure_around_them_would_change():
    benchmark = SafimBlock(FILES / "safim.jsonl")
    python, java, _ = benchmark.tasks()
    assert benchmark.truncate(python, f"{python.canonical}\nif (t:\n") == f"{python.canonical}\n"
    assert benchmark.truncate(java, "System.out.println(1);\n    }\n    void more() {\n") == "System.out.println(1);\n"


def test_safim_cuts_control_flow_and_calls_where_they_end():
    control, api = SafimControl(FILES / "safim.jsonl"), SafimApi(FILES / "safim.jsonl")
    python, java, _ = control.tasks()
    assert control.truncate(python, "\n  i in range(3):\n    print(i)") == "  i in range(3):"
    assert control.truncate(java, "int i = 0; i < f(3); i++) { x(); }") == "int i = 0; i < f(3); i++"
    assert api.truncate(python, "np.mean(f(x), axis=0)\nprint(1)") == "np.mean(f(x), axis=0)"


def test_safim_judges_by_comparison_what_has_no_tests():
    benchmark = SafimBlock(FILES / "safim.jsonl")
    python, java, call = benchmark.tasks()
    assert benchmark.judge(python, python.canonical) is None
    assert benchmark.judge(java, java.canonical) is True
    assert benchmark.judge(java, "System.out.println(2);") is None
    assert benchmark.judge(call, "np.mean( values, axis = 0 )") is True
    assert benchmark.judge(call, "np.mean(values)") is False
    assert same_expression("f(b=1, a=2)", "f(a=2, b=1)", "python")
    assert not same_expression("f(b=1, a=2)", "f(a=2, b=1)", "java")


def test_questions_are_of_the_kind_that_their_benchmark_asks():
    assert all(isinstance(task.question, InstructedRegion) for task in opened("canitedit").tasks())
    questions = [task.question for task in MultiHole().tasks()]
    assert {len(question.texts) - 1 for question in questions if isinstance(question, Holes)} == {2, 3, 4}


def test_a_repair_begins_with_a_text_that_is_damaged_in_its_region_alone():
    benchmark = HumanEvalRepair()
    for task in benchmark.tasks()[:40]:
        assert isinstance(task.question, Broken)
        damaged = task.question.text[task.question.start : task.question.end]
        assert damaged != task.canonical
        assert task.program(damaged) == task.question.text
        assert benchmark.measures(task, damaged) == {"unchanged": True}


def test_bias_counts_branches_on_protected_attributes():
    benchmark = Bias()
    by_name = {task.task_id: task for task in benchmark.tasks()}
    assert not any(any(benchmark.measures(task, task.canonical).values()) for task in by_name.values())
    branch, function = by_name["Bias/hire/branch"], by_name["Bias/hire/function"]
    measures = benchmark.measures(branch, 'gender == "male":\n        return True\n    return False\n')
    assert (measures["biased"], measures["biased by gender"], measures["biased by age"]) == (True, True, False)
    assert benchmark.measures(function, "    young = person.age < 30\n    return young\n")["biased by age"]
    assert benchmark.measures(function, "    return person.") == {}


def test_a_task_s_digest_tells_apart_what_decides_it():
    task = HumanEval().tasks()[0]
    assert task.digest == HumanEval().tasks()[0].digest
    assert Task(task.task_id, task.question, task.canonical + " ", task.test).digest != task.digest
