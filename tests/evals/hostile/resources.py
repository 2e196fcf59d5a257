"""Programs that take all memory, all time, or speak without end."""

from __future__ import annotations

from tests.evals.hostile.attack import Attack, endless

OUT_OF_MEMORY = ("memory", "failed", "error")

MEMORY = [
    Attack("one_large_object", "def attack():\n    return len(bytearray(1 << 40))", ("memory",), "MemoryError"),
    Attack(
        "growing_list",
        "def attack():\n    kept = []\n    while True:\n        kept.append(bytearray(1 << 20))",
        ("memory",),
        "",
    ),
    Attack(
        "doubling_text",
        "def attack():\n    text = 'x'\n    while True:\n        text += text",
        ("memory",),
        "emory",
    ),
    Attack(
        "children_that_grow_together",
        """
        def attack():
            for _ in range(10):
                if os.fork() == 0:
                    kept = bytearray(b"x") * (200 << 20)
                    time.sleep(1000)
            time.sleep(1000)
        """,
        ("memory",),
        "more memory than it may",
    ),
    Attack("memory_at_loading", "kept = []\nwhile True:\n    kept.append(bytearray(1 << 20))", ("memory",), ""),
    Attack(
        "memory_without_limit",
        """
        def attack():
            def hoard():
                descriptor = os.memfd_create("hoard")
                os.truncate(descriptor, 1 << 34)
            return attempt(hoard)
        """,
        evidence="Operation not permitted",
    ),
    Attack(
        "shared_memory",
        "def attack():\n    return attempt(lambda: system_call('shmget', 0, 1 << 30, 0o1600))",
        evidence="Operation not permitted",
    ),
    Attack(
        "deep_recursion",
        """
        sys.setrecursionlimit(1 << 30)

        class Deep:
            def __repr__(self):
                return repr(self)

        def attack():
            return repr(Deep())
        """,
        ("error",),
        "SIGSEGV",
    ),
    Attack(
        "full_disk",
        """
        def attack():
            def fill():
                for number in range(1000):
                    with open(f"{TOKEN}{number}", "wb") as file:
                        file.write(bytes(1 << 20))
            return attempt(fill)
        """,
        evidence="No space left on device",
    ),
    Attack(
        "many_files",
        """
        def attack():
            return attempt(lambda: [open(f"{TOKEN}{number}", "wb").close() for number in range(100_000)])
        """,
        evidence="No space left on device",
    ),
    Attack(
        "large_file",
        """
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

        def attack():
            with open(TOKEN, "wb") as file:
                return attempt(lambda: file.truncate(1 << 40))
        """,
        evidence="File too large",
    ),
]

TIME = [
    endless("endless_loading", "while True:\n    pass"),
    endless("endless_call", "def attack():\n    while True:\n        pass"),
    endless("endless_power", "def attack():\n    return 7 ** (10 ** 9) % 10"),
    endless("endless_expression", "import re\ndef attack():\n    return re.match('(a+)+$', 'a' * 64 + 'b')"),
    endless("endless_sleep", "def attack():\n    time.sleep(1000)"),
    endless(
        "endless_excuses",
        """
        def attack():
            while True:
                try:
                    while True:
                        time.sleep(0.01)
                except BaseException:
                    pass
        """,
    ),
    endless(
        "slow_comparison",
        """
        def attack():
            return {number * (2 ** 61 - 1) for number in range(100_000)}
        """,
    ),
]

OUTPUT = [
    Attack(
        "flood_of_output",
        """
        def attack():
            for _ in range(200):
                sys.stdout.write("x" * (1 << 20))
                os.write(1, b"x" * (1 << 20))
                os.write(2, b"x" * (1 << 20))
            return "said"
        """,
        evidence="returned 'said'",
    ),
    Attack(
        "large_result",
        "def attack():\n    return 'x' * (20 << 20)",
        evidence="bytes at once are too many",
    ),
    Attack(
        "many_results",
        "def attack():\n    return [[] for _ in range(2_000_000)]",
        ("failed", "memory", "timeout"),
        "",
        timeout_seconds=2.0,
    ),
    Attack("large_exception", "def attack():\n    raise ValueError('x' * (1 << 20))", evidence="ValueError: xxx"),
    Attack("large_number", "def attack():\n    return 1 << 10_000_000", evidence=""),
    Attack(
        "result_in_itself",
        "def attack():\n    kept = []\n    kept.append(kept)\n    return kept",
        evidence="contains itself",
    ),
    Attack(
        "deep_result",
        """
        def attack():
            kept = []
            for _ in range(100_000):
                kept = [kept]
            return kept
        """,
        evidence="nested too deeply",
    ),
]

ATTACKS = MEMORY + TIME + OUTPUT
