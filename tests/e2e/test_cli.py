"""The installed `quickfill` command with the embedded model, as a user runs it."""

from __future__ import annotations

import json
import pickle
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from coder.model.checkpoint.files import embedded_folder

ROOT = Path(__file__).parents[2]

Run = Callable[..., subprocess.CompletedProcess[bytes]]

DOCUMENTED = {
    command.strip()
    for page in ("README.md", "examples/README.md")
    for command in re.findall(r"quickfill (complete examples/[^`\n&|/]+)", (ROOT / page).read_text(encoding="utf-8"))
}


def command() -> str:
    found = shutil.which("quickfill", path=str(Path(sys.executable).parent))
    assert found, "the tests need the command; CONTRIBUTING.md says how to install it"
    return found


@pytest.fixture
def quickfill(tmp_path: Path) -> Run:
    """Run the command in an empty folder, on the ONNX runtime."""

    def run(*arguments: object, stdin: bytes = b"", cwd: Path = tmp_path) -> subprocess.CompletedProcess[bytes]:
        full = [command(), *map(str, arguments), "--runtime", "onnx"]
        return subprocess.run(full, input=stdin, capture_output=True, cwd=cwd, timeout=120, check=False)

    return run


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_doctor_tries_every_part_of_a_real_installation(tmp_path: Path):
    done = subprocess.run([command(), "doctor", "--json"], capture_output=True, cwd=tmp_path, timeout=120, check=False)
    page = json.loads(done.stdout)
    failed = [finding["name"] for finding in page["findings"] if finding["status"] == "fails"]
    # How fast this machine is, and so what the page says of it, is nothing to be tested.
    assert (done.returncode, set(failed) - {"speed"}) == (len(failed), set()), done.stderr
    summaries = {finding["name"]: finding["summary"] for finding in page["findings"]}
    assert "answered" in summaries["initialize"]
    assert "tokens in" in summaries["speed"]


def test_the_documentation_has_examples():
    assert len(DOCUMENTED) >= 4


@pytest.mark.parametrize("arguments", sorted(DOCUMENTED))
def test_documented_commands_suggest_something(quickfill: Run, tmp_path: Path, arguments: str):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    before = contents(tmp_path)
    done = quickfill(*arguments.split(), "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["finish_reason"]) == (0, "end")
    assert answer["text"].strip()
    assert answer["passes"] >= 1
    assert contents(tmp_path) == before


def test_apply_keeps_every_other_byte(quickfill: Run, tmp_path: Path):
    """Tabs, CRLF, a byte order mark, and special tokens written out in the code."""
    file = tmp_path / "stack.py"
    before = '\ufeffMASK = "<|mask|><|endoftext|>"\r\n\r\ndef push(items, item):\r\n\t"""Put an item on top."""\r\n'
    after = '\r\n\r\ndef pop(items):\r\n\t"""Take it away: <|endoftext|>."""\r\n\treturn items.pop()\r\n'
    file.write_bytes((before + after).encode())
    done = quickfill("complete", f"{file}:5", "--apply", "--max-tokens", 24)
    assert done.returncode == 0, done.stderr.decode()
    text = done.stdout.decode().replace("\r\n", "\n")
    assert file.read_bytes().decode() == before + text.replace("\n", "\r\n") + after
    assert (tmp_path / "stack.py.bak").read_bytes() == (before + after).encode()


@pytest.mark.parametrize(
    ("broken", "right"),
    [
        (
            "def f(xs)\n    for x in xs\n        print(x)\n    retrun xs\n",
            "def f(xs):\n    for x in xs:\n        print(x)\n    return xs\n",
        ),
        (
            "def f(xs):\n    for x in xs,\n        print(x)\n    return xs\n",
            "def f(xs):\n    for x in xs:\n        print(x)\n    return xs\n",
        ),
        (
            "def f(xs)\n    for x in xs\n        if x.is_int(:\n            return str(x\n    return None\n",
            "def f(xs):\n    for x in xs:\n        if x.is_int():\n            return str(x)\n    return None\n",
        ),
    ],
    ids=["three defects", "a comma for a colon", "four defects"],
)
def test_a_repair_mends_several_defects(quickfill: Run, tmp_path: Path, broken: str, right: str):
    file = tmp_path / "a.py"
    file.write_text(broken, encoding="utf-8")
    done = quickfill("repair", file, "--apply")
    assert done.returncode == 0, done.stderr
    assert file.read_text(encoding="utf-8") == right


def test_what_cannot_be_repaired_is_left_and_its_line_named(quickfill: Run, tmp_path: Path, tiny: Path):
    file = tmp_path / "a.py"
    file.write_text("def f(xs)\n    = = 0 ) [\n    return xs\n", encoding="utf-8")
    before = file.read_bytes()
    done = quickfill("repair", file, "--apply", "--model", tiny)
    assert (done.returncode, done.stdout, file.read_bytes()) == (0, b"", before)
    assert b"line 2 is broken" in done.stderr


def test_edit_does_not_lose_lines_that_the_model_would_not_see(quickfill: Run, tmp_path: Path, tiny: Path):
    file = tmp_path / "averages.py"
    before = b"def median(values):\n    values = sorted(values)\n    return values[len(values) // 2]\n"
    file.write_bytes(before)
    done = quickfill("edit", f"{file}:1-3", "use statistics", "--apply", "--model", tiny)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"has not learned to rewrite code" in done.stderr
    assert contents(tmp_path) == {"averages.py": before}


def test_a_large_file_is_no_problem(quickfill: Run, tmp_path: Path):
    file = tmp_path / "large.py"
    function = "def number_{0}():\n    return {0}\n\n\n"
    content = "".join(function.format(index) for index in range(140_000)).encode()
    assert len(content) > 5 << 20
    file.write_bytes(content)
    done = quickfill("complete", f"{file}:280002", "--json", "--max-tokens", 16)
    assert done.returncode in (0, 5), done.stderr.decode()
    assert json.loads(done.stdout)["line"] == 280_002
    assert file.read_bytes() == content


@pytest.mark.parametrize("name", ["empty.py", "empty.go"])
@pytest.mark.parametrize("content", [b"", b"\n"])
def test_an_empty_file_stays_empty(quickfill: Run, tmp_path: Path, name: str, content: bytes):
    (tmp_path / name).write_bytes(content)
    done = quickfill("complete", f"{name}:1", "--apply")
    assert (done.returncode, done.stdout, done.stderr) == (5, b"", b"nothing to suggest here\n")
    assert (tmp_path / name).read_bytes() == content


def test_a_file_that_was_begun_goes_on(quickfill: Run, tmp_path: Path):
    (tmp_path / "begun.py").write_text("import os\n")
    done = quickfill("complete", "begun.py:2", "--apply")
    assert done.returncode == 0, done.stderr.decode()
    text = (tmp_path / "begun.py").read_text()
    compile(text, "begun.py", "exec")
    assert text.splitlines()[1].lstrip() == text.splitlines()[1], "nothing is indented there"


def test_empty_input_is_no_problem(quickfill: Run):
    done = quickfill("complete", "-", "--language", "python")
    assert (done.returncode, done.stdout) == (5, b"")


def test_a_deadline_is_kept_and_said(quickfill: Run, tmp_path: Path):
    (tmp_path / "hole.py").write_text("def numbers():\n    return [0, 1, 2, 3,")
    done = quickfill("complete", "hole.py:2", "--deadline-ms", 1, "--json")
    answer = json.loads(done.stdout)
    assert answer["finish_reason"] == "deadline"
    assert b"deadline" in done.stderr
    assert done.returncode == (0 if answer["text"].strip() else 5)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("missing.py:1", "missing.py does not exist"),
        ("folder:1", "is a folder"),
        ("binary.py:1", "NUL byte at offset 1"),
        ("latin.py:1", "byte 0xe9 at offset 11, line 2"),
        ("short.py:9", "which has 3 lines"),
        ("short.py:2:9", "column 9 is outside"),
        ("short.py", "write FILE:LINE"),
        ("short.py:0", "count from 1"),
    ],
)
def test_bad_input_is_explained_and_nothing_changes(quickfill: Run, tmp_path: Path, target: str, message: str):
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary.py").write_bytes(b"a\0b")
    (tmp_path / "latin.py").write_bytes("x = 1\ny = 'é'\n".encode("latin-1"))
    (tmp_path / "short.py").write_bytes(b"one\ntwo\n")
    before = contents(tmp_path)
    done = quickfill("complete", target, "--apply")
    error = done.stderr.decode()
    assert (done.returncode, done.stdout) == (2, b"")
    assert error.startswith("error: ") and message in error and error.count("\n") == 1
    assert contents(tmp_path) == before


@pytest.fixture
def checkpoints(tmp_path: Path) -> Path:
    """Folders that are no usable checkpoints, by what is wrong with them."""
    embedded = embedded_folder()
    config = json.loads((embedded / "config.json").read_text())
    parts = sorted(embedded.glob("*.gguf"))
    for name in ("truncated", "incomplete", "no_adapter", "foreign", "pickle", "no_config"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(config))
        shutil.copy(embedded / "tokenizer.json", folder)
    for name in ("truncated", "no_adapter"):
        for part in parts[1:]:
            (tmp_path / name / part.name).symlink_to(part)
    (tmp_path / "no_adapter" / parts[0].name).symlink_to(parts[0])
    with parts[0].open("rb") as part:
        (tmp_path / "truncated" / parts[0].name).write_bytes(part.read(1 << 20))
    for name in ("incomplete", "foreign", "no_config"):
        (tmp_path / name / parts[0].name).symlink_to(parts[0])
    foreign = config | {"model_type": "bert", "architectures": ["BertForMaskedLM"]}
    (tmp_path / "foreign" / "config.json").write_text(json.dumps(foreign))
    (tmp_path / "pickle" / "pytorch_model.bin").write_bytes(pickle.dumps({"weight": [1.0]}))
    (tmp_path / "no_config" / "config.json").unlink()
    return tmp_path


@pytest.mark.parametrize(
    "name", ["truncated", "incomplete", "no_adapter", "foreign", "pickle", "no_config", "nowhere/at/all"]
)
def test_an_unusable_checkpoint_is_explained(quickfill: Run, checkpoints: Path, name: str):
    file = checkpoints / "code" / "code.py"
    file.parent.mkdir()
    file.write_text("x = 1\n")
    done = quickfill("complete", f"{file}:1", "--apply", "--model", checkpoints / name, "--json")
    error = json.loads(done.stdout)
    assert (done.returncode, error["exit_code"]) == (3, 3)
    assert done.stderr.decode() == f"error: {error['error']}\n"
    assert contents(file.parent) == {"code.py": b"x = 1\n"}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send to another process there")
def test_an_interrupt_ends_it_within_a_pass_and_changes_nothing(tmp_path: Path):
    file = tmp_path / "numbers.py"
    file.write_text("numbers = [0, 1, 2, 3,")
    arguments = ["complete", f"{file}:1", "--apply", "--watch", "--max-tokens", "4000", "--runtime", "onnx"]
    with subprocess.Popen([command(), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if line.startswith(b"pass   1"))
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (130, b"")
    assert b"Traceback" not in errors
    assert contents(tmp_path) == {"numbers.py": b"numbers = [0, 1, 2, 3,"}


def test_half_a_word_is_finished_as_the_workspace_does(quickfill: Run, tmp_path: Path):
    for name in "abcd":
        (tmp_path / f"{name}.py").write_text(f"def {name}(signer, text):\n    return signer.digest_method(text)\n" * 4)
    (tmp_path / "use.py").write_text("from signing import signer\n\n\ndef check(text):\n    return digest_me")
    done = quickfill("complete", "use.py:5", "--workspace", ".", "--max-tokens", 8, cwd=tmp_path)
    assert done.stdout.decode().startswith("thod")


def test_tabs_stay_tabs(quickfill: Run, tmp_path: Path):
    file = tmp_path / "t.py"
    file.write_text("def scale(a, b):\n\ta += 1\n\treturn a * b\n\n\ndef area(a, b):\n\ta += 1\n\t\n")
    done = quickfill("complete", f"{file}:8", "--apply", "--json")
    assert (done.returncode, json.loads(done.stdout)["parses"]) == (0, True), done.stderr.decode()
    compile(file.read_text(), "t.py", "exec")


@pytest.mark.parametrize(
    ("name", "before", "behind"),
    [
        ("add.go", "package main\n\nfunc add(a int, b int) int {\n\t", "\n}\n"),
        ("add.js", "function add(a, b) {\n\t", "\n}\n"),
        ("add.ts", "function add(a: number, b: number): number {\n  ", "\n}\n"),
        ("add.rs", "fn add(a: i32, b: i32) -> i32 {\n\t", "\n}\n"),
        ("Add.java", "class Add {\n\tint add(int a, int b) {\n\t\tint c = a + b;\n\t\t", "\n\t}\n}\n"),
        ("add.cpp", "int add(int a, int b) {\n  int c = a + b;\n  ", "\n}\n"),
        ("mean.py", "def mean(values):\n    ", "\n"),
        ("windows.py", "def mean(values):\r\n    ", "\r\n"),
    ],
)
def test_the_text_goes_on_at_the_cursor(quickfill: Run, tmp_path: Path, name: str, before: str, behind: str):
    file = tmp_path / name
    file.write_bytes((before + behind).encode())
    done = quickfill("complete", f"{file}:{before.count(chr(10)) + 1}", "--apply", "--json", "--max-tokens", 32)
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["parses"]) == (0, True), done.stderr.decode()
    assert answer["text"].startswith(("return", "a + b", '"""')) and answer["text"] == answer["text"].rstrip()
    line_break = "\r\n" if "\r\n" in before else "\n"
    assert file.read_bytes() == (before + answer["text"].replace("\n", line_break) + behind).encode()


def test_several_answers_go_into_a_pipe_with_a_line_between_them(quickfill: Run, tmp_path: Path):
    (tmp_path / "hole.py").write_text("name = ")
    done = quickfill("complete", "hole.py:1", "--samples", 3, "--max-tokens", 8, "--seed", 1)
    answers = done.stdout.decode().split("\n--------\n")
    assert done.returncode == 0, done.stderr.decode()
    assert len(set(answers)) == len(answers) > 1


def test_the_rest_of_a_formatted_string_is_not_written_twice(quickfill: Run, tmp_path: Path):
    file = tmp_path / "greet.py"
    file.write_text('def greet(name):\n    print(f"hello {}")\n')
    done = quickfill("complete", f"{file}:2:20", "--apply")
    assert done.returncode == 0, done.stderr.decode()
    assert file.read_text() == f'def greet(name):\n    print(f"hello {{{done.stdout.decode()}}}")\n'
    compile(file.read_text(), "greet.py", "exec")


@pytest.mark.parametrize("tokens", [1, 2, 4, 6, 7])
def test_half_a_character_is_never_written(quickfill: Run, tokens: int):
    family = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"
    prompt = f"x = '{family}', '".encode()
    done = quickfill("complete", "-", "--raw", "--max-tokens", tokens, stdin=prompt)
    assert done.returncode in (0, 5), done.stderr.decode()
    assert "\ufffd" not in done.stdout.decode()


def test_a_comment_ends_with_a_word(quickfill: Run, tmp_path: Path):
    file = tmp_path / "add.py"
    file.write_text("# the sum of \ndef add(a, b):\n    return a + b\n")
    done = quickfill("complete", f"{file}:1", "--apply")
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == done.stdout.strip()
    compile(file.read_text(), "add.py", "exec")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_full_disk_is_explained(tmp_path: Path):
    (tmp_path / "numbers.py").write_text("numbers = [0, 1, 2, 3,")
    with Path("/dev/full").open("wb") as full:
        arguments = [command(), "complete", "numbers.py:1", "--max-tokens", "8", "--runtime", "onnx"]
        done = subprocess.run(arguments, stdout=full, stderr=subprocess.PIPE, cwd=tmp_path, timeout=120, check=False)
    assert done.returncode not in (0, 120)
    assert done.stderr.startswith(b"error: ") and b"Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit on the size of files there")
def test_a_disk_that_is_full_loses_nothing(tmp_path: Path):
    """A limit on the size of files stands for the disk."""
    import resource

    before = b"# " + b"x" * 4096 + b"\ndef add(first, second):\n    return \n"
    (tmp_path / "add.py").write_bytes(before)
    arguments = [command(), "complete", "add.py:3", "--apply", "--max-tokens", "8", "--runtime", "onnx"]
    done = subprocess.run(
        arguments,
        capture_output=True,
        cwd=tmp_path,
        timeout=120,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024)),
    )
    assert done.returncode not in (0, 5)
    assert done.stderr.startswith(b"error: ") and b"Traceback" not in done.stderr
    assert contents(tmp_path) == {"add.py": before}


def test_score_and_info_with_the_embedded_model(quickfill: Run, tmp_path: Path):
    (tmp_path / "code.py").write_text("def add(first, second):\n    return first + second\n\n\nprint(add(1, 2))\n")
    (tmp_path / "odd.py").write_text("def add(first, second):\n    banana @ telescope ~~ 7\n\n\nprint(add(1, 2))\n")
    likely, unlikely = (json.loads(quickfill("score", f"{name}:2", "--json").stdout) for name in ("code.py", "odd.py"))
    assert 1 < likely["perplexity"] < unlikely["perplexity"]
    facts = json.loads(quickfill("info", "--json").stdout)
    assert facts["model"]["name"] == "embedded"
    assert facts["machine"]["peak_memory_mb"] <= 600


def test_generate_writes_a_function(quickfill: Run):
    done = quickfill("generate", "reverse a string", "--max-tokens", 32)
    assert done.returncode == 0
    assert done.stdout.decode().startswith("def reverse_string(")
