"""Programs that do not solve their task and try to be taken for ones that do.

All are harmless: in a process that runs the program and its test together, most of them pass.
"""

from __future__ import annotations

from tests.evals.hostile.attack import Attack

TEST = """
def check(candidate):
    assert candidate(2, 3) == 5
    assert candidate([4], [6]) == [4, 6]
    assert all(candidate(number, 0) == number for number in range(3, 6))
"""


def forgery(name: str, body: str, status: str = "failed", evidence: str = "", harmless: bool = True) -> Attack:
    return Attack(name, body, (status,), evidence, test=TEST, harmless=harmless)


ATTACKS = [
    forgery(
        "equal_to_everything",
        """
        class Equal:
            def __eq__(self, other):
                return True
        def attack(a, b):
            return Equal()
        """,
        evidence="compared",
    ),
    forgery(
        "number_equal_to_everything",
        """
        class Equal(int):
            __eq__ = lambda self, other: True
            __hash__ = int.__hash__
        def attack(a, b):
            return Equal(0)
        """,
        evidence="returned 0",
    ),
    forgery(
        "text_equal_to_everything",
        """
        class Equal(str):
            __eq__ = lambda self, other: True
            __hash__ = str.__hash__
        def attack(a, b):
            return Equal("5")
        """,
        evidence="returned '5'",
    ),
    forgery(
        "list_of_equals",
        """
        class Equal:
            __eq__ = lambda self, other: True
        def attack(a, b):
            return [Equal()]
        """,
        harmless=False,
    ),
    forgery(
        "no_comparison_at_all",
        """
        class Same:
            __eq__ = lambda self, other: True
            __class__ = property(lambda self: int)
        def attack(a, b):
            return Same()
        """,
    ),
    forgery(
        "patched_assertion_error",
        """
        import builtins
        class Forgiving(Exception):
            def __init__(self, *arguments):
                os._exit(0)
        builtins.AssertionError = Forgiving
        def attack(a, b):
            return None
        """,
        evidence="returned None",
        harmless=False,
    ),
    forgery(
        "patched_last_words",
        """
        sys.excepthook = lambda *error: os._exit(0)
        def attack(a, b):
            return None
        """,
        evidence="returned None",
    ),
    forgery(
        "patched_builtins",
        """
        import builtins
        builtins.all = builtins.any = lambda items: True
        def attack(a, b):
            return a + b if b else None
        """,
        evidence="returned None",
        harmless=True,
    ),
    forgery(
        "frames",
        """
        def attack(a, b):
            frame = sys._getframe()
            while frame:
                for scope in (frame.f_globals, frame.f_locals):
                    for name in ("check", "test"):
                        if name in scope:
                            scope[name] = lambda *arguments: None
                frame = frame.f_back
            return None
        """,
        evidence="returned None",
        harmless=False,
    ),
    forgery(
        "answers_from_frames",
        """
        import re
        def attack(a, b):
            frame, seen = sys._getframe(), []
            while frame:
                seen += [value for scope in (frame.f_globals, frame.f_locals) for value in scope.values()]
                frame = frame.f_back
            texts = [value for value in seen if isinstance(value, str) and "def check" in value]
            return int(re.search(r"== (\\d+)", texts[0])[1]) if texts else "nothing found"
        """,
        evidence="nothing found",
        harmless=False,
    ),
    forgery(
        "answers_from_memory",
        """
        import gc
        WORD = "def " + "check" + "(candidate)"
        def texts(value, depth=0):
            if isinstance(value, (str, bytes)):
                yield str(value)
            elif isinstance(value, dict) and depth < 3:
                for item in list(value.values()):
                    yield from texts(item, depth + 1)
            elif isinstance(value, (list, tuple)) and depth < 3:
                for item in value:
                    yield from texts(item, depth + 1)
        def attack(a, b):
            found = [text for value in gc.get_objects() for text in texts(value) if WORD in text and len(text) > 50]
            return 5 if found else "nothing found"
        """,
        evidence="nothing found",
        harmless=False,
    ),
    forgery(
        "patched_json",
        """
        import json
        json.dumps = lambda *arguments, **options: '{"status": "passed", "detail": ""}'
        json.loads = lambda *arguments, **options: {"status": "passed"}
        def attack(a, b):
            return None
        """,
        status="error",
        harmless=False,
    ),
    forgery(
        "verdict_on_the_channel",
        """
        import struct
        def attack(a, b):
            message = b'{"status":"passed","detail":""}'
            os.write(3, struct.pack(">I", len(message)) + message)
            return None
        """,
        status="error",
        evidence="answer is none",
        harmless=False,
    ),
    forgery(
        "code_in_an_exception",
        """
        import json, struct
        def attack(a, b):
            message = {"raised": "exec", "details": ["tuple", ["import os; os._exit(0)"]], "trace": ""}
            data = json.dumps(message).encode()
            os.write(3, struct.pack(">I", len(data)) + data)
            time.sleep(10)
        """,
        evidence="RuntimeError: exec",
        harmless=False,
    ),
    forgery(
        "noise_on_the_channel",
        """
        def attack(a, b):
            for descriptor in range(3, 10):
                try:
                    os.write(descriptor, b"\\xff" * 64)
                except OSError:
                    pass
            return None
        """,
        status="error",
        evidence="too long",
        harmless=False,
    ),
    forgery(
        "objects_that_never_were",
        """
        import json, struct
        def attack(a, b):
            data = json.dumps({"result": ["object", 999, "int"]}).encode()
            os.write(3, struct.pack(">I", len(data)) + data)
            time.sleep(10)
        """,
        evidence="compared",
        harmless=False,
    ),
    forgery("printed_verdict", "def attack(a, b):\n    print('passed', flush=True)\n    os._exit(0)", "error"),
    forgery(
        "thread_that_exits",
        """
        def leave():
            time.sleep(0.05)
            print("passed", flush=True)
            os._exit(0)
        def attack(a, b):
            threading.Thread(target=leave).start()
            time.sleep(5)
            return None
        """,
        status="error",
        evidence="exit code 0",
    ),
    forgery(
        "thread_after_the_answer",
        """
        def speak():
            for _ in range(100):
                os.write(3, b"\\0\\0\\0\\x10{\\"result\\": true}")
                time.sleep(0.001)
        def attack(a, b):
            threading.Thread(target=speak, daemon=True).start()
            return None
        """,
        evidence="attack(2, 3) returned",  # None, or True where the thread was quicker
        harmless=False,
    ),
    forgery(
        "tracing",
        """
        def trace(frame, event, argument):
            if frame.f_code.co_name == "check":
                print("passed", flush=True)
                os._exit(0)
            return trace
        sys.settrace(trace)
        def attack(a, b):
            return None
        """,
        evidence="returned None",
        harmless=True,
    ),
    forgery(
        "true_to_everyone",
        """
        class Yes:
            def __bool__(self):
                return True
            __eq__ = __ne__ = __lt__ = __gt__ = lambda self, other: Yes()
        def attack(a, b):
            return Yes()
        """,
    ),
    forgery("not_a_number", "def attack(a, b):\n    return float('nan')", evidence="returned nan", harmless=False),
    forgery("wrong_answer", "def attack(a, b):\n    return a", evidence="returned 2", harmless=False),
    forgery("no_such_function", "def another(a, b):\n    return a + b", evidence="does not define", harmless=False),
    forgery("no_program", "def attack(a, b:", status="error", evidence="SyntaxError", harmless=False),
    Attack(
        "exceptions_that_are_swallowed",
        """
        def attack(value):
            os._exit(0)
        """,
        ("error",),
        "",
        test="""
def check(candidate):
    try:
        assert candidate(1) == 2
    except:
        pass
""",
    ),
    Attack(
        "comparison_that_is_swallowed",
        """
        def attack(value):
            return object()
        """,
        ("error",),
        "compared",
        test="""
def check(candidate):
    try:
        assert candidate(1) != 2
    except TypeError:
        pass
""",
    ),
    Attack(
        "helper_of_the_prompt",
        """
        def helper(value):
            return 0
        def attack(value):
            return None
        """,
        evidence="returned None",
        test="""
def check(candidate):
    assert helper(candidate(3)) == 0
""",
    ),
]
