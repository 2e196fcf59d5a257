"""SAFIM: syntax-aware holes in programs that read standard input and print, in Python, Java, C++ and C#.

Python is executed here. In the other languages only an answer that equals the published one is known to be right, and
one to a task without tests is compared with it, as published; the rest stays unjudged.
"""

from __future__ import annotations

import ast
import json
import re
from typing import Any, ClassVar

import tree_sitter

from coder.errors import InputError
from coder.syntax.tree import parse
from evals.benchmarks.benchmark import Benchmark, columns, read_json_lines
from evals.sandbox.program import Case
from evals.task import Infill, Task

PLACEHOLDERS = dict.fromkeys(("java", "cpp", "csharp"), "/* TODO: Your code here */") | {
    "python": "# TODO: Your code here"
}
ANSWER = "{{completion}}"


class Safim(Benchmark):
    source = "Gong et al. 2024, Evaluation of LLMs on Syntax-Aware Code Fill-in-the-Middle Tasks, arXiv:2403.04814"
    kind: ClassVar[str]

    def tasks(self) -> list[Task]:
        assert self.file is not None
        return [self._task(row) for row in read_json_lines(self.file)]

    def judge(self, task: Task, answer: str) -> bool | None:
        if answer == task.canonical:
            return True if not self.executed(task) else None
        return None if task.cases else same_expression(answer, task.canonical, task.language)

    def executed(self, task: Task) -> bool:
        return task.language == "python" and bool(task.cases)

    def _task(self, row: dict[str, Any]) -> Task:
        names = ("task_id", "prompt", "eval_prompt", "ground_truth", "unit_tests", "lang")
        task_id, prompt, program, truth, tests, language = columns(row, self.file, *names)
        parts, frame = prompt.split(PLACEHOLDERS.get(language, "\0")), program.split(ANSWER)
        if len(parts) != 2 or len(frame) != 2:
            raise InputError(f"{self.file}: {task_id} has no single hole")
        rows = json.loads(tests) if isinstance(tests, str) else tests
        cases = tuple(Case(row["input"], tuple(row["output"])) for row in rows)
        return Task(
            task_id=task_id,
            question=Infill(*parts),
            canonical=truth,
            language=language,
            timeout_seconds=10.0,
            frame=(frame[0], frame[1]),
            cases=cases,
        )


class SafimBlock(Safim):
    name = "safim-block"
    description = "8,781 blocks of programs"
    file_form = "block_completion.jsonl"

    def truncate(self, task: Task, text: str) -> str:
        """As many whole lines as leave the structure of the program around the hole as it was."""
        lines = text.splitlines(keepends=True)
        while lines and not keeps_structure(task, "".join(lines)):
            lines.pop()
        return "".join(lines)


class SafimControl(Safim):
    name = "safim-control"
    description = "8,629 control-flow expressions of programs"
    file_form = "control_completion.jsonl"

    def truncate(self, task: Task, text: str) -> str:
        """The first line in Python; otherwise what stands before the bracket that closes the expression."""
        if task.language == "python":
            return next((line for line in text.splitlines() if line.strip()), "")
        end = closing_bracket(text, opened=1)
        return text if end is None else text[:end]


class SafimApi(Safim):
    name = "safim-api"
    description = "310 calls of libraries"
    file_form = "api_function_completion.jsonl"

    def truncate(self, task: Task, text: str) -> str:
        """Up to the end of the first call."""
        end = closing_bracket(text, opened=0)
        return text if end is None else text[: end + 1]


def closing_bracket(text: str, opened: int) -> int | None:
    """The place of the parenthesis that closes the `opened` ones before the text, or the first one in it."""
    depth = opened
    for index, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == ")" and depth <= 0:
            return index
    return None


def same_expression(answer: str, canonical: str, language: str) -> bool:
    """Return whether the two are the same but for white space; in Python calls with keywords in any order are, too."""
    one, other = (re.sub(r"\s+", "", text) for text in (answer, canonical))
    if language == "python":
        try:
            return _arguments(one) == _arguments(other)
        except (SyntaxError, ValueError, AttributeError):
            pass
    return one == other


def _arguments(text: str) -> tuple[list[str], dict[str | None, str]]:
    """The arguments of a call: as published, the function's own name is not compared."""
    call = ast.parse(text, mode="eval").body
    if not isinstance(call, ast.Call):
        raise ValueError("no call")
    return [ast.dump(node) for node in call.args], {word.arg: ast.dump(word.value) for word in call.keywords}


def keeps_structure(task: Task, answer: str) -> bool:
    """Return whether the program parses with `answer` in its hole, and everything outside the hole is what it is with
    the canonical answer in it. True for languages without a grammar, where nothing can be said."""
    ours, sound = _outside(task, answer), _outside(task, task.canonical)
    return ours is not None and (sound is None or ours == sound)


def _outside(task: Task, answer: str) -> list[tuple[int, str]] | None:
    """Depth and type of every node that does not lie in the hole; empty without a grammar, None for broken syntax."""
    program = task.program(answer)
    tree = parse(program, task.language)
    if tree is None:
        return []
    if tree.root_node.has_error:
        return None
    prefix, suffix = task.frame or (task.question.prefix, task.question.suffix)
    start, end = len(prefix.encode()), len(program.encode()) - len(suffix.encode())
    found: list[tuple[int, str]] = []
    pending: list[tuple[tree_sitter.Node, int]] = [(tree.root_node, 0)]
    while pending:
        node, depth = pending.pop()
        if node.start_byte >= start and node.end_byte <= end:
            continue
        found.append((depth, node.type))
        pending.extend((child, depth + 1) for child in reversed(node.children))
    return found
