"""A run that is stopped, however rudely, goes on where it was: the file is the same in the end."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from coder.engine.engine import Engine
from coder.errors import InputError
from evals.backends.backend import SamplingSettings
from evals.backends.engine_backend import EngineBackend, EngineSettings
from evals.benchmarks.humaneval import HumanEval
from evals.execution import Executor
from evals.generation import choose_tasks, generate
from evals.records import Record, read_records, times_file
from evals.sandbox.program import Program, Verdict
from evals.scoring.judging import judge
from tests.evals.conftest import Quickfill, command
from tests.evals.fake_server import serving


def test_a_killed_run_ends_as_one_that_was_left_alone(tmp_path: Path, quickfill: Quickfill):
    with serving() as server:

        def arguments(file: str) -> list[str]:
            backend = f"openai:{server.url},model=m,concurrency=1"
            return ["generate", "humaneval", "--limit", "9", "--samples", "2", "--backend", backend, "--out", file]

        assert quickfill(*arguments("whole.jsonl")).returncode == 0
        asked = len(server.bodies)

        server.hang_at = asked + 8
        killed = subprocess.Popen([command(), "eval", *arguments("killed.jsonl")], cwd=tmp_path)
        assert server.hanging.wait(timeout=120)
        killed.kill()
        killed.wait()
        assert len(read_records(tmp_path / "killed.jsonl")) == 7

        server.released.set()
        assert quickfill(*arguments("killed.jsonl")).returncode == 0
        assert len(server.bodies) == asked + 8 + 11
    assert (tmp_path / "killed.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert len(times_file(tmp_path / "killed.jsonl").read_bytes().splitlines()) == 18


@pytest.mark.parametrize("policy", ["autoregressive", "threshold:0.5"])
def test_an_engine_s_run_cut_anywhere_ends_the_same(engine: Engine, tmp_path: Path, policy: str):
    benchmark, decoding = HumanEval(), SamplingSettings(max_tokens=8)
    tasks = benchmark.tasks()[:5]
    backend = EngineBackend(EngineSettings(policy=policy, canvas=4), engine)
    whole, cut = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    new = [record is not None for record in generate(benchmark, tasks, backend, whole, decoding)]
    cut.write_bytes(whole.read_bytes()[: len(whole.read_bytes()) // 2])
    resumed = [record is not None for record in generate(benchmark, tasks, backend, cut, decoding)]
    assert new == [True] * 5
    assert resumed == [False] * 2 + [True] * 3
    assert cut.read_bytes() == whole.read_bytes()


def test_a_run_with_other_settings_does_not_go_on_in_the_same_file(engine: Engine, tmp_path: Path):
    benchmark, file = HumanEval(), tmp_path / "run.jsonl"
    tasks = benchmark.tasks()[:2]
    first, second = (EngineBackend(EngineSettings(policy=policy), engine) for policy in ("verified", "fixed"))
    list(generate(benchmark, tasks, first, file, SamplingSettings(max_tokens=4)))
    with pytest.raises(InputError, match="another run"):
        list(generate(benchmark, tasks, second, file, SamplingSettings(max_tokens=4)))


class CountingExecutor(Executor):
    """Judges nothing: the third program interrupts it the first time."""

    def __init__(self) -> None:
        super().__init__()
        self.checked: list[str] = []
        self.interrupt = True

    def check_all(self, programs: Iterable[Program]) -> Iterator[Verdict]:
        for program in programs:
            if self.interrupt and len(self.checked) == 2:
                self.interrupt = False
                raise KeyboardInterrupt
            self.checked.append(program.task_id)
            yield Verdict(program.task_id, "passed", "", 0.1, True)


def test_interrupted_scoring_executes_nothing_twice(tmp_path: Path):
    benchmark, verdicts = HumanEval(), tmp_path / "verdicts.jsonl"
    tasks = benchmark.tasks()[:5]
    records = [Record(task.task_id, task.canonical) for task in tasks]
    executor = CountingExecutor()
    with pytest.raises(KeyboardInterrupt):
        list(judge(benchmark, tasks, records, executor, verdicts))
    with verdicts.open("a") as file:
        file.write('{"sha256": "torn')
    results = list(judge(benchmark, tasks, records, executor, verdicts))
    assert [result.passed for result in results] == [True] * 5
    assert executor.checked == [task.task_id for task in tasks]


def test_chosen_tasks_depend_on_the_seed_alone_and_keep_their_order():
    tasks = HumanEval().tasks()
    chosen = choose_tasks(tasks, sample=20, seed=3)
    assert chosen == choose_tasks(tasks, sample=20, seed=3)
    assert chosen != choose_tasks(tasks, sample=20, seed=4)
    assert chosen == sorted(chosen, key=tasks.index)
    assert choose_tasks(tasks, sample=20, seed=3, limit=5) == chosen[:5]
    assert choose_tasks(tasks, sample=1000) == tasks
