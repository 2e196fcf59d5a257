"""Programs that read standard input and print are judged by what a Python of their own makes of them."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.execution import Executor
from evals.sandbox.cases import same_words
from evals.sandbox.program import Case, Limits, Program, Verdict

NUMBERS = Case("3\n1 2 3\n", ("6\n",))

ADD = {
    "input": "input()\nprint(sum(map(int, input().split())))",
    "sys.stdin": "import sys\nprint(sum(map(int, sys.stdin.read().split()[1:])))",
    "lines of sys.stdin": "import sys\nnext(sys.stdin)\nfor line in sys.stdin: print(sum(map(int, line.split())))",
    "the buffer of sys.stdin": "import sys\nprint(sum(map(int, sys.stdin.buffer.read().split()[1:])))",
    "open(0)": "print(sum(map(int, open(0).read().split()[1:])))",
    "descriptor of sys.stdin": "import os, sys\nprint(sum(map(int, os.read(sys.stdin.fileno(), 99).split()[1:])))",
    "os.read by size": "import os\nprint(sum(map(int, os.read(0, os.fstat(0).st_size).split()[1:])))",
    "mapped": "import mmap\nprint(sum(map(int, mmap.mmap(0, 0, prot=mmap.PROT_READ)[:].split()[1:])))",
    "fast input and output": """
        import io, os, sys
        class FastIO(io.IOBase):
            newlines = 0
            def __init__(self, file):
                self._fd = file.fileno()
                self.buffer = io.BytesIO()
                self.writable = "x" in file.mode or "r" not in file.mode
                self.write = self.buffer.write if self.writable else None
            def readline(self):
                while self.newlines == 0:
                    b = os.read(self._fd, max(os.fstat(self._fd).st_size, 8192))
                    self.newlines = b.count(b"\\n") + (not b)
                    ptr = self.buffer.tell()
                    self.buffer.seek(0, 2), self.buffer.write(b), self.buffer.seek(ptr)
                self.newlines -= 1
                return self.buffer.readline()
            def flush(self):
                if self.writable:
                    os.write(self._fd, self.buffer.getvalue())
                    self.buffer.truncate(0), self.buffer.seek(0)
        sys.stdin, sys.stdout = FastIO(sys.stdin), FastIO(sys.stdout)
        sys.stdin.readline()
        sys.stdout.write(b"%d" % sum(map(int, sys.stdin.readline().split())))
        sys.stdout.flush()
        """,
    "io.FileIO": """
        import io, os
        data = io.BytesIO(io.FileIO(0).read(os.fstat(0).st_size))
        data.readline()
        os.write(1, b"%d" % sum(map(int, data.readline().split())))
        """,
    "a thread that nobody joins": """
        import threading, time
        def work():
            time.sleep(0.2)
            input()
            print(sum(map(int, input().split())))
        threading.Thread(target=work).start()
        """,
    "a thread with a deep stack": """
        import sys, threading
        sys.setrecursionlimit(1 << 20)
        threading.stack_size(1 << 26)
        def add(numbers, n=0):
            return n if n == 20_000 else add(numbers, n + 1) if n else sum(numbers) + 0 * add(numbers, 1)
        def work():
            input()
            print(add(list(map(int, input().split()))))
        threading.Thread(target=work).start()
        """,
    "exit()": "input()\nprint(sum(map(int, input().split())))\nexit()\nprint('more')",
    "sys.exit(0)": "import sys\nprint(6)\nsys.exit(0)",
    "os._exit after a flush": "import os\nprint(6, flush=True)\nos._exit(0)",
    "atexit": "import atexit\natexit.register(print, 6)",
    "import __main__": "import __main__\nclass A: six = 6\nprint(__main__.A.six)",
    "the main guard": "def main():\n    print(6)\nif __name__ == '__main__':\n    main()",
    "own classes pickled": """
        import pickle
        class Point:
            def __init__(self, x): self.x = x
        print(pickle.loads(pickle.dumps(Point(6))).x)
        """,
    "own classes in another process": """
        import os, pickle
        class Point:
            def __init__(self, x): self.x = x
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.write(writer, pickle.dumps(Point(6)))
            os._exit(0)
        os.wait()
        print(pickle.loads(os.read(reader, 999)).x)
        """,
    "a dataclass with annotations as text": """
        from __future__ import annotations
        from dataclasses import dataclass
        @dataclass
        class Point:
            x: int
        print(Point(6).x)
        """,
    "its own text": "print(open(__file__).read().count('e') and 6)",
    "no line break at the end": "print(6, end='')",
    "white space around": "print('\\n  6  \\n\\n')",
    "output that is flushed by nobody": "import sys\nsys.stdout.write('6')",
    "bytes": "import sys\nsys.stdout.buffer.write(b'6')",
    "errors apart": "import sys\nprint('5', file=sys.stderr)\nprint(6)",
    "a name that a module has": "import random, string\nprint(6)",
}
"""Programs that print the sum of the numbers, or just what it is, by every way that is known from contests."""

WRONG = {
    "os._exit loses what was not flushed": ("import os\nprint(6)\nos._exit(0)", "failed", "It printed"),
    "another output": ("print(7)", "failed", "It printed\n7\n\ninstead of\n6"),
    "no output": ("pass", "failed", "instead of"),
    "more output": ("print(6)\nprint(6)", "failed", "instead of"),
    "on standard error": ("import sys\nprint(6, file=sys.stderr)", "failed", "It printed\n\ninstead of"),
    "no main module": ("if __name__ != '__main__':\n    print(6)", "failed", "instead of"),
    "an exception behind the output": ("print(6)\n[][1]", "error", "IndexError: list index out of range"),
    "an exit code": ("print(6)\nexit(3)", "error", "exit code 3"),
    "a message at the end": ("import sys\nprint(6)\nsys.exit('sorry')", "error", "sorry"),
    "a syntax error": ("print(6", "error", "SyntaxError"),
    "too much read": ("input(), input(), input()", "error", "EOFError"),
    "a signal": ("import ctypes\nprint(6, flush=True)\nctypes.string_at(0)", "error", "SIGSEGV"),
    "too much memory": ("print(6, flush=True)\nx = bytearray(1 << 40)", "memory", "MemoryError"),
    "a daemon that is not waited for": (
        "import threading, time\nthreading.Thread(target=lambda: (time.sleep(9), print(6)), daemon=True).start()",
        "failed",
        "instead of",
    ),
    "installed packages": ("import numpy\nprint(6)", "error", "No module named 'numpy'"),
}


def verdict_of(executor: Executor, code: str, *cases: Case, timeout_seconds: float = 20.0) -> Verdict:
    program = Program("task", textwrap.dedent(code), cases=cases or (NUMBERS,), timeout_seconds=timeout_seconds)
    (verdict,) = executor.check_all([program])
    return verdict


@pytest.mark.parametrize("way", ADD)
def test_a_right_program_passes_however_it_reads_and_writes(executor, way):
    verdict = verdict_of(executor, ADD[way])
    assert (verdict.status, verdict.detail) == ("passed", "")
    assert verdict.sandboxed


@pytest.mark.parametrize("way", WRONG)
def test_a_wrong_program_is_told_what_went_wrong(executor, way):
    code, status, detail = WRONG[way]
    verdict = verdict_of(executor, code)
    assert verdict.status == status, verdict
    assert detail in verdict.detail
    assert "Standard input:\n3\n1 2 3" in verdict.detail


def test_every_case_has_to_pass_and_has_a_process_of_its_own(executor):
    code = "import os\nprint(int(input()) * 2, len(os.listdir()))\nopen('left', 'w')"
    right = [Case(f"{n}\n", (f"{2 * n} 1",)) for n in range(3)]
    assert verdict_of(executor, code, *right).passed
    failed = verdict_of(executor, code, *right, Case("7", ("15 1",)))
    assert failed.status == "failed"
    assert "Standard input:\n7" in failed.detail


def test_one_of_several_accepted_outputs_is_enough(executor):
    assert verdict_of(executor, "print('no')", Case("", ("yes", "no"))).passed


def test_large_inputs_and_outputs_travel_whole(executor):
    numbers = "\n".join(map(str, range(300_000)))
    echo = "import sys\nsys.stderr.write('x' * (1 << 20))\nsys.stdout.write(sys.stdin.read())"
    assert verdict_of(executor, echo, Case(numbers, (numbers,))).passed
    assert not verdict_of(executor, echo, Case(numbers, (numbers + "\n1",))).passed


def test_text_beyond_ascii_travels_as_it_is(executor):
    assert verdict_of(executor, "print(input())", Case("naïve 数 👨‍👩‍👧\n", ("naïve 数 👨‍👩‍👧",))).passed
    assert not verdict_of(executor, "import os\nos.write(1, b'\\xff')", Case("", ("\\xff",))).passed


def test_time_counts_for_each_case(executor):
    patient = "import time\ntime.sleep(0.5)\nprint(1)"
    assert verdict_of(executor, patient, *[Case("", ("1",))] * 4, timeout_seconds=1.5).passed
    late = verdict_of(executor, "import os\nos.close(1)\nwhile True: pass", timeout_seconds=0.5)
    assert (late.status, "0.5 seconds" in late.detail) == ("timeout", True)


def test_an_output_without_end_is_cut_off():
    with Executor(workers=1, limits=Limits(message_bytes=1 << 20)) as executor:
        verdict = verdict_of(executor, "while True: print('6' * 999)")
        assert (verdict.status, "1048576 bytes" in verdict.detail) == ("failed", True)
        assert verdict_of(executor, "print(6)").passed


def test_packages_can_be_imported_when_they_are_asked_for():
    with Executor(workers=1, packages=("numpy",)) as executor:
        assert verdict_of(executor, "import numpy\nprint(numpy.arange(4).sum())").passed


def test_the_same_without_a_sandbox(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with Executor(workers=1, allow_unsandboxed=True) as executor:
        passed = verdict_of(executor, "import os\nopen('random.py', 'w')\n" + ADD["open(0)"])
        shadowed = verdict_of(executor, "import random\nprint(random.choice([6]))")
        lingering = verdict_of(executor, "import os, time\nos.fork() or time.sleep(99)\nprint(6)")
        endless = verdict_of(executor, "while True: pass", timeout_seconds=0.5)
    assert [passed.status, shadowed.status, lingering.status] == ["passed", "passed", "passed"], shadowed
    assert endless.status == "timeout"
    assert not passed.sandboxed


WORDS = st.lists(st.lists(st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=3), max_size=4))


@given(WORDS, st.sampled_from([" ", "  ", "\t"]), st.sampled_from(["\n", "\r\n"]))
def test_outputs_are_compared_line_by_line_and_word_by_word(lines, space, line_break):
    one, other = "\n".join(map(" ".join, lines)), line_break.join(space.join(line) + space for line in lines)
    assert same_words(one, other)
    assert same_words(f"\n {other}\n\n", one)
    assert same_words(one, f"{one}\nmore") is False
    by_lines = [line.split() for line in one.strip().splitlines()]
    assert same_words(one, "\n".join(map(" ".join, by_lines)))
