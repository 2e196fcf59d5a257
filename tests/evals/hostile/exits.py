"""Programs that end themselves, or others, in the hope of being taken for ones that succeeded."""

from __future__ import annotations

from tests.evals.hostile.attack import Attack


def ending(name: str, statement: str, evidence: str, status: str = "error", harmless: bool = False) -> Attack:
    return Attack(name, f"def attack():\n    {statement}", (status,), evidence, harmless=harmless)


ATTACKS = [
    Attack("exit_at_loading", "sys.exit(0)", ("error",), "SystemExit: 0", harmless=True),
    Attack("hard_exit_at_loading", "print('passed'); os._exit(0)", ("error",), "exit code 0", harmless=True),
    ending("exit_in_a_call", "sys.exit(0)", "SystemExit: 0", "failed", harmless=True),
    ending("hard_exit_in_a_call", "os._exit(0)", "exit code 0", harmless=True),
    ending("interrupt", "raise KeyboardInterrupt", "KeyboardInterrupt", "failed"),
    ending("generator_exit", "raise GeneratorExit", "GeneratorExit", "failed"),
    ending("base_exception", "raise type('Quiet', (BaseException,), {})('quiet')", "BaseException: quiet", "failed"),
    ending("null_pointer", "ctypes.string_at(0)", "SIGSEGV"),
    ending("abort", "os.abort()", "SIG"),
    ending("kill_the_group", "os.killpg(0, signal.SIGKILL); os._exit(0)", ""),
    Attack(
        "kill_everything",
        "def attack():\n    return attempt(lambda: os.kill(-1, signal.SIGKILL))",
        evidence="No such process",
    ),
    Attack(
        "kill_the_parent",
        """
        def attack():
            return attempt(lambda: os.kill(os.getppid() or 2, signal.SIGKILL))
        """,
        evidence="No such process",
    ),
    Attack(
        "kill_anyone",
        """
        def attack():
            found = []
            for number in range(2, 5000):
                try:
                    os.kill(number, 0)
                    found.append(number)
                except OSError:
                    pass
            return "escaped" if found else "contained"
        """,
    ),
    Attack(
        "replace_the_program",
        """
        def attack():
            os.execv(sys.executable, [sys.executable, "-I", "-c", "print('passed')"])
        """,
        ("error",),
        "exit code 0",
    ),
    Attack(
        "exit_handler",
        """
        import atexit
        atexit.register(os._exit, 0)

        def attack():
            return "wrong"
        """,
        evidence="returned 'wrong'",
    ),
]
