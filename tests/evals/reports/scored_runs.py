"""Small scored runs to report on."""

from __future__ import annotations

from evals.records import Key
from evals.scoring.judging import Result
from evals.scoring.summary import Summary, summarize
from evals.task import Infill, Task

TASKS = {
    name: Task(name, Infill("def f(a, b):\n", "\n    return c\n"), canonical="\n".join(["    c = a + b"] * lines))
    for name, lines in (("one", 1), ("two", 2), ("three", 4), ("four", 20))
}


def scored(
    label: str,
    passed: dict[str, bool],
    policy: str = "threshold:0.9",
    confidence: float | None = 0.8,
    seconds: float = 1.0,
    sandboxed: bool = True,
    answer: str = "    c = a - b",
) -> Summary:
    """A run whose answers to `TASKS` passed or not, each of ten tokens."""
    results = [
        Result(
            task_id=task,
            sample=0,
            completion=TASKS[task].canonical if right else answer,
            passed=right,
            status="passed" if right else "failed",
            detail="" if right else "AssertionError: f(1, 2) returned -1",
            sandboxed=sandboxed,
            exact_match=right,
            edit_similarity=1.0 if right else 0.9,
            syntax_valid=True,
            tokens=10,
            passes=4,
            confidence=confidence,
        )
        for task, right in passed.items()
    ]
    times: dict[Key, float] = {(task, 0): seconds for task in passed}
    run = {"label": label, "backend": {"backend": "engine", "policy": policy, "length": "predicted"}}
    return summarize("humaneval", results, run, times)


SLOW = scored("threshold:0.9", {"one": True, "two": True, "three": True, "four": False}, seconds=2.0)
FAST = scored("threshold:0.5", {"one": True, "two": False, "three": True, "four": False}, "threshold:0.5", seconds=0.5)
WORSE = scored("autoregressive", {"one": True, "two": False, "three": False, "four": False}, "autoregressive")
