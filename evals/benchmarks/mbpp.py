"""MBPP: a function from a sentence and one of its tests.

The prompt is the one of Fried et al. 2022 (InCoder, arXiv:2204.05999), which needs no examples: the sentence and the
first test as a docstring. Tasks 11 to 510 are the test split (Austin et al. 2021, table 1); the others were meant for
training, tuning and as examples.
"""

from __future__ import annotations

import ast
from typing import Any

from evals.benchmarks.benchmark import Benchmark, columns, read_json_lines
from evals.task import Infill, Task

TEST_SPLIT = range(11, 511)


class Mbpp(Benchmark):
    name = "mbpp"
    description = "500 functions from a sentence and a test, the full test split"
    source = "Austin et al. 2021, Program Synthesis with Large Language Models, arXiv:2108.07732; tasks 11 to 510"
    stops = ("\nclass", "\nassert", '\n"""', "\nprint", "\nif", "\n<|/", "\n```")
    file_form = "mbpp.jsonl"
    sentence = "text"

    def tasks(self) -> list[Task]:
        assert self.file is not None
        return [self._task(row) for row in read_json_lines(self.file) if int(row.get("task_id", 0)) in TEST_SPLIT]

    def _task(self, row: dict[str, Any]) -> Task:
        task_id, text, code, tests = columns(row, self.file, "task_id", self.sentence, "code", "test_list")
        code = code.replace("\r\n", "\n")
        setup = [row.get("test_setup_code", ""), *row.get("test_imports", [])]
        return Task(
            task_id=f"MBPP/{task_id}",
            question=Infill(docstring_prompt(text, tests[0])),
            canonical=code,
            test="\n".join([*filter(None, setup), *tests]) + "\n",
            entry_point=tested_name(tests, code),
        )


class MbppSanitized(Mbpp):
    name = "mbpp-sanitized"
    description = "257 functions from a sentence and a test, the hand-checked test split"
    file_form = "sanitized-mbpp.json"
    sentence = "prompt"


def docstring_prompt(sentence: str, test: str) -> str:
    return f'"""\n{sentence}\n{test}\n"""\n'


def tested_name(tests: list[str], code: str) -> str:
    """The function of `code` that the tests call; empty where that is not certain."""
    defined = [node.name for node in ast.parse(code).body if isinstance(node, ast.FunctionDef)]
    used = {node.id for node in ast.walk(ast.parse("\n".join(tests))) if isinstance(node, ast.Name)}
    called = [name for name in defined if name in used]
    return called[-1] if called else ""
