"""Hostile programs, by family: each is contained, none passes, nothing of it stays, and the host is as it was."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator

import pytest

from evals.execution import Executor
from evals.sandbox.program import Case, Limits, Program
from tests.evals.hostile import exits, files, forgeries, kernel, network, processes, resources, streams
from tests.evals.hostile.attack import ESCAPES, Attack
from tests.evals.hostile.host import Host

FAMILIES = (exits, files, forgeries, kernel, network, processes, resources, streams)
ATTACKS = [attack for family in FAMILIES for attack in family.ATTACKS]
ESCAPING = [attack for attack in ATTACKS if attack.test == ESCAPES and attack.in_a_process and not attack.cases]
ESCAPED = (Case("", ("escaped",)),)
SENTINEL = Program("sentinel", "def add(a, b):\n    return a + b", "assert add(2, 3) == 5", timeout_seconds=30.0)
PROMPT = "def helper(value):\n    return value + 1\n"

NAIVE = """
import sys
program, test = sys.argv[1:]
scope = {}
exec(program + "\\n" + test + ("\\ncheck(attack)" if "def check" in test else ""), scope)
print("passed")
"""
"""How a harness would judge that trusts its programs: all in one process, which says at the end that it passed."""


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with Executor(workers=1, limits=Limits(memory_bytes=256 << 20, processes=16)) as executor:
        assert executor.sandboxed
        yield executor


@pytest.fixture
def host(tmp_path) -> Iterator[Host]:
    with Host(tmp_path, f"quickfill{uuid.uuid4().hex}") as host:
        yield host


def program_of(attack: Attack, host: Host) -> Program:
    source = attack.source(host.names())
    if attack.cases:
        return Program(attack.name, source, cases=attack.cases, timeout_seconds=attack.timeout_seconds)
    return Program(attack.name, source, attack.test, "attack", PROMPT, attack.timeout_seconds)


def test_there_are_many_and_each_has_a_name():
    names = [attack.name for attack in ATTACKS]
    assert len(set(names)) == len(names) >= 60


@pytest.mark.slow
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_a_hostile_program_is_contained(attack, executor, host):
    before = host.state()
    verdict, after_it = executor.check_all([program_of(attack, host), SENTINEL])
    assert verdict.status in attack.statuses, verdict
    assert attack.evidence in verdict.detail, verdict
    assert verdict.sandboxed
    assert host.state() == before
    assert after_it.passed, after_it


@pytest.mark.slow
@pytest.mark.parametrize("attack", ESCAPING, ids=lambda attack: attack.name)
def test_it_is_contained_in_a_process_of_its_own_too(attack, executor, host):
    source = f"{attack.source(host.names())}\nprint(attack(), flush=True)\n"
    program = Program(attack.name, source, cases=ESCAPED, timeout_seconds=attack.timeout_seconds)
    before = host.state()
    verdict, after_it = executor.check_all([program, SENTINEL])
    assert verdict.status in ("failed", "error", "timeout", "memory"), verdict
    assert attack.evidence != "contained: " or "It printed\ncontained: " in verdict.detail
    assert host.state() == before
    assert after_it.passed, after_it


@pytest.mark.slow
@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if attack.harmless], ids=lambda attack: attack.name)
def test_without_a_sandbox_the_same_program_is_seen_to_escape(attack, host):
    program = program_of(attack, host)
    before = host.state()
    command = [sys.executable, "-c", NAIVE, PROMPT + program.completion_code, program.test]
    naive = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=host.folder, timeout=20)
    after = host.state()
    host.clean_up(before, after)
    assert naive.returncode == 0 or after != before
