"""Repair: a HumanEval solution damaged once, by each kind of mutation in `coder.syntax.mutations`.

The repairer is told the region, the whole solution, and not the place. One mutant of broken syntax and one of changed
meaning is made of each solution, of kinds and at places drawn by `SEED`. A mutant may happen to pass its tests:
`unchanged` says how many answers are the damaged text itself.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

from coder.syntax.mutations.mutations import SEMANTIC_MUTATIONS, SYNTAX_MUTATIONS, Mutant, Mutation, mutate
from evals.benchmarks.benchmark import Benchmark
from evals.benchmarks.humaneval import problems
from evals.task import Broken, Task

SEED = 1


class HumanEvalRepair(Benchmark):
    name = "repair"
    description = "HumanEval solutions damaged once, in syntax or in meaning"
    source = f"made from HumanEval (arXiv:2107.03374) by coder.syntax.mutations.mutations, seed {SEED}"

    def tasks(self) -> list[Task]:
        return [task for problem in problems() for task in _tasks(problem)]

    def measures(self, task: Task, answer: str) -> dict[str, bool]:
        assert isinstance(task.question, Broken)
        damaged = task.question.text[task.question.start : task.question.end]
        return {"unchanged": answer == damaged}


def _tasks(problem: dict[str, Any]) -> Iterator[Task]:
    prompt, solution = problem["prompt"], problem["canonical_solution"]
    for mutations in (SYNTAX_MUTATIONS, SEMANTIC_MUTATIONS):
        mutant = _damage(prompt, solution, mutations, problem["task_id"])
        if mutant is not None:
            yield Task(
                task_id=f"Repair/{problem['task_id']}/{mutant.mutation.name}",
                question=Broken(mutant.text, len(prompt), len(mutant.text)),
                canonical=solution,
                test=problem["test"],
                entry_point=problem["entry_point"],
                helpers=prompt + solution,
            )


def _damage(prompt: str, solution: str, mutations: Sequence[Mutation], name: str) -> Mutant | None:
    """A mutant of the first kind, in an order drawn by the name, that finds something to damage in the solution."""
    shuffled = random.Random(f"{SEED}/{name}/{mutations[0].breaks_syntax}").sample(mutations, len(mutations))
    found = (mutate(prompt + solution, mutation, SEED, start=len(prompt)) for mutation in shuffled)
    return next((mutant for mutant in found if mutant is not None), None)
