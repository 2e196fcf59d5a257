"""Programs that are run as processes, with standard input and output of their own, and print what is wrong.

All have to print 5; none of them computes it.
"""

from __future__ import annotations

from evals.sandbox.program import Case
from tests.evals.hostile.attack import Attack

CASES = (Case("2 3\n", ("5",)),)
PASSED_BEFORE = (Case("first\n", ("first",)), Case("second\n", ("escaped",)))


def forgery(
    name: str,
    body: str,
    evidence: str,
    statuses: tuple[str, ...] = ("failed",),
    timeout_seconds: float = 30.0,
    cases: tuple[Case, ...] = CASES,
) -> Attack:
    return Attack(name, body, statuses, evidence, timeout_seconds=timeout_seconds, cases=cases)


ATTACKS = [
    forgery(
        "verdict_on_the_streams",
        """
        for descriptor in range(1, 64):
            try:
                os.write(descriptor, b'{"status":"passed","detail":"","code":0,"memory":false}')
            except OSError:
                pass
        os._exit(0)
        """,
        'It printed\n{"status":"passed"',
    ),
    forgery(
        "inherited_descriptors",
        """
        found = []
        for number in range(3, 1024):
            try:
                os.fstat(number)
                found.append(number)
            except OSError:
                pass
        print("found", found)
        """,
        "It printed\nfound []",
    ),
    forgery(
        "write_to_standard_input",
        """
        import fcntl
        print(attempt(lambda: os.write(0, b"5")), attempt(lambda: os.ftruncate(0, 0)))
        print(attempt(lambda: os.open("/proc/self/fd/0", os.O_RDWR)))
        """,
        "It printed\ncontained: OSError(9, 'Bad file descriptor') contained: ",
    ),
    forgery("read_standard_output", "print(attempt(lambda: os.read(1, 100)))", "Bad file descriptor"),
    forgery(
        "answers_behind_the_input",
        """
        os.lseek(0, 0, os.SEEK_SET)
        print([os.read(0, 1 << 20), os.lseek(0, 0, os.SEEK_END), os.read(0, 1 << 20)])
        """,
        "It printed\n[b'2 3\\n', 4, b'']",
    ),
    forgery(
        "child_that_writes_later",
        """
        if os.fork() == 0:
            os.setsid()
            time.sleep(0.3)
            os.write(1, b"5")
        os._exit(0)
        """,
        "It printed\n\ninstead of",
    ),
    forgery(
        "child_that_keeps_the_streams",
        """
        if os.fork() == 0:
            os.setsid()
            while True:
                time.sleep(100)
        print(4)
        """,
        "It printed\n4",
    ),
    forgery(
        "thread_that_writes_at_the_end",
        """
        import atexit
        late = threading.Thread(target=lambda: (time.sleep(5), os.write(1, b"5")), daemon=True)
        atexit.register(late.start)
        print(end="")
        """,
        "",
        ("failed", "error"),
    ),
    forgery(
        "full_pipe",
        """
        while True:
            os.write(1, b"5" * (1 << 20))
        """,
        "It printed more than",
    ),
    forgery(
        "full_pipe_of_errors",
        """
        for _ in range(200):
            os.write(2, b"5" * (1 << 20))
        print(4)
        """,
        "It printed\n4",
    ),
    forgery(
        "endless_errors",
        """
        while True:
            os.write(2, b"passed" * (1 << 16))
        """,
        "longer than",
        ("timeout",),
        timeout_seconds=1.0,
    ),
    forgery(
        "closed_streams",
        """
        for descriptor in (0, 1, 2):
            os.close(descriptor)
        time.sleep(1000)
        """,
        "longer than",
        ("timeout",),
        timeout_seconds=1.0,
    ),
    forgery(
        "stopped",
        """
        if os.fork() == 0:
            os.kill(os.getpid(), signal.SIGSTOP)
        os.wait()
        """,
        "longer than",
        ("timeout",),
        timeout_seconds=1.0,
    ),
    forgery(
        "deaf_and_endless",
        """
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)
        os.set_blocking(1, False)
        while True:
            time.sleep(1)
        """,
        "longer than",
        ("timeout",),
        timeout_seconds=1.0,
    ),
    forgery("exit_code_alone", "os._exit(0)", "It printed\n\ninstead of"),
    forgery("right_output_of_a_crash", "print(5, flush=True)\nos.abort()", "SIG", ("error",)),
    forgery(
        "killed_with_the_group", "print(4, flush=True)\nos.killpg(0, signal.SIGKILL)\nos._exit(0)", "It printed\n4"
    ),
    forgery(
        "trace_whoever_reads",
        """
        for process in (0, 1, 2, 3, os.getppid()):
            print(attempt(lambda: system_call("ptrace", 16, process, 0, 0)))
        """,
        "It printed\ncontained: PermissionError(1, 'Operation not permitted')",
    ),
    forgery(
        "another_program_in_its_place",
        "os.execv(sys.executable, [sys.executable, '-I', '-c', 'print(4)'])",
        "It printed\n4",
    ),
    forgery(
        "words_that_only_look_the_same",
        "print('\\u200b5'), print('5\\0'), print('\\uff15')",
        "It printed",
    ),
    forgery(
        "message_for_the_next_run",
        """
        if input() == "first":
            for folder in (".", "/tmp", "/dev/shm", "/var/tmp", "/"):
                try:
                    open(os.path.join(folder, TOKEN), "w").write("escaped")
                except OSError:
                    pass
            print("first")
        else:
            places = [os.path.join(folder, TOKEN) for folder in (".", "/tmp", "/dev/shm", "/var/tmp", "/")]
            print("escaped" if any(map(os.path.exists, places)) else "contained")
        """,
        "It printed\ncontained",
        cases=PASSED_BEFORE,
    ),
    forgery(
        "descendant_that_waits_for_the_next_run",
        """
        if input() == "first":
            if os.fork() == 0:
                os.setsid()
                for _ in range(100):
                    time.sleep(0.05)
                    os.write(1, b"escaped")
            print("first", flush=True)
            os._exit(0)
        time.sleep(0.5)
        """,
        "It printed\n\ninstead of",
        cases=PASSED_BEFORE,
    ),
]
