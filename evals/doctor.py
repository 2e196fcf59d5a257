"""The check of the sandbox that benchmarks run generated programs in. For `quickfill doctor`."""

from __future__ import annotations

from collections.abc import Iterator

from coder.doctor.findings import Finding
from evals.execution import Executor
from evals.sandbox.program import SandboxError


def check_sandbox() -> Iterator[Finding]:
    """Yield whether a program can be run in the sandbox; only `quickfill eval` needs it."""
    try:
        with Executor(workers=1):
            yield Finding("benchmarks", "sandbox", "works", "bubblewrap and a system-call filter")
    except SandboxError as error:
        yield Finding("benchmarks", "sandbox", "optional", "none, and only `quickfill eval` needs it", str(error))
