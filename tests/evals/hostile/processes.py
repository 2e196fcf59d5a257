"""Programs that multiply, hide, or stay behind."""

from __future__ import annotations

from tests.evals.hostile.attack import Attack, attempt, endless

ATTACKS = [
    endless(
        "fork_bomb",
        """
        def attack():
            while True:
                try:
                    os.fork()
                except OSError:
                    pass
        """,
    ),
    Attack(
        "many_children",
        """
        def attack():
            def multiply():
                for _ in range(300):
                    if os.fork() == 0:
                        time.sleep(1000)
                        os._exit(0)
            return attempt(multiply)
        """,
        evidence="Resource temporarily unavailable",
    ),
    Attack(
        "many_threads",
        """
        def attack():
            def multiply():
                for _ in range(300):
                    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
            return attempt(multiply)
        """,
        evidence="start new thread",
    ),
    Attack(
        "daemon",
        """
        def attack():
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    time.sleep(30)
                os._exit(0)
            os.wait()
            return "left behind"
        """,
        evidence="returned 'left behind'",
        harmless=True,
    ),
    Attack(
        "daemon_that_ignores_signals",
        """
        def attack():
            if os.fork() == 0:
                os.setsid()
                for number in range(1, 32):
                    try:
                        signal.signal(number, signal.SIG_IGN)
                    except OSError:
                        pass
                time.sleep(1000)
            return "left behind"
        """,
        evidence="returned 'left behind'",
    ),
    Attack(
        "another_interpreter",
        """
        def attack():
            subprocess.Popen([sys.executable, "-I", "-c", "import time; time.sleep(1000)"], start_new_session=True)
            return "left behind"
        """,
        evidence="returned 'left behind'",
    ),
    Attack(
        "zombies",
        """
        def attack():
            for _ in range(10):
                if os.fork() == 0:
                    os._exit(0)
            return "left behind"
        """,
        evidence="returned 'left behind'",
    ),
    Attack(
        "child_that_keeps_the_channel",
        """
        def attack():
            if os.fork() == 0:
                time.sleep(1000)
            os._exit(0)
        """,
        statuses=("timeout", "error"),
        evidence="",
        timeout_seconds=1.0,
    ),
    endless(
        "both_processes_answer",
        """
        def attack():
            os.fork()
            while True:
                time.sleep(0.1)
        """,
    ),
    endless(
        "deaf_to_everything",
        """
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)

        def attack():
            while True:
                time.sleep(1000)
        """,
    ),
    attempt("raise_own_limits", "resource.setrlimit(resource.RLIMIT_NPROC, (9999, 9999))", "import resource"),
    attempt("real_time_priority", "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))"),
]
