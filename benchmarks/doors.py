"""The same requests at every door, and the text that each gives: the table of `docs/doors.md`.

python -m benchmarks.doors > docs/doors.md
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import uvicorn

from benchmarks.lsp_editor import LspEditor, lsp_editor
from coder.engine.engine import Engine
from coder.serve.app import create_app
from coder.serve.running import address_of, listen
from coder.serve.service import Service
from coder.serve.settings import ServeSettings

PATIENT_MS = 60_000
TOKENS = 160
"""The most of every answer: the language server's own limit for a block."""

HEAD = """# The same answer at every door

An answer is fitted to its place by the engine (`coder/generation/completing.py`, `coder/postprocess`), so it is the
same wherever it is asked for. This table was made by `python -m benchmarks.doors` with the embedded model: the
installed command, an HTTP server on a socket, and a language server with an editor's client. `‸` is the cursor, `→` a
tab, `⏎` a line break; *same* is the command line's text.

Three differences belong to the doors themselves. `/v1/completions`, `/v1/fim/completions` and `/infill` insert at the
cursor and replace nothing, so closing brackets that stand behind it are shown to the model and not in their text; the
command line and the language server replace them. Clients of `/infill` name no file, which the model is told where the
first line of a new file is written, so no grammar checks its answer either, unless they send `path`, `language`, or
other files (`input_extra`) of one language.
With `"raw": true`, `--raw`, `echo` or `logprobs` the text is as the model wrote it.

| place | command line | `/v1/completions` | `/v1/fim/completions` | `/infill` | language server |
|---|---|---|---|---|---|"""


@dataclass(frozen=True)
class Place:
    """A text with its cursor, `‸`, in a file of this name."""

    file: str
    text: str

    @property
    def prefix(self) -> str:
        return self.text.partition("‸")[0]

    @property
    def suffix(self) -> str:
        return self.text.partition("‸")[2]


PLACES = (
    Place("tabs.py", "def scale(a, b):\n\ta += 1\n\treturn a * b\n\n\ndef area(a, b):\n\t‸\n"),
    Place("inner.py", "def find(values, wanted):\n\tfor value in values:\n\t\tif value == wanted:\n\t\t\t‸\n"),
    Place("mean.py", "def mean(values):\n    ‸\n"),
    Place("two.py", "def mean(values):\n  total = sum(values)\n  ‸\n"),
    Place("add.py", "def add(first, second):‸\n"),
    Place("add_below.py", "def add(first, second):\n‸\n"),
    Place("add.go", "func add(a int, b int) int {\n\t‸\n}\n"),
    Place("add.js", "function add(a, b) {\n\t‸\n}\n"),
    Place("add.ts", "function add(a: number, b: number): number {\n  ‸\n}\n"),
    Place("add.rs", "fn add(a: i32, b: i32) -> i32 {\n    ‸\n}\n"),
    Place("Add.java", "class Add {\n    int add(int a, int b) {\n        ‸\n    }\n}\n"),
    Place("add.c", "int add(int a, int b) {\n    ‸\n}\n"),
    Place("format.py", 'def greet(name):\n    print(f"hello {‸}")\n'),
    Place("call.py", "def area(width, height):\n    return width * height\n\n\nprint(area(‸))\n"),
    Place("arguments.py", "words = ['b', 'a']\nprint(sorted(words, ‸, reverse=True))\n"),
    Place("assigned.py", "width = 2\nheight = 3\narea = ‸  # square metres\n"),
    Place("parameters.py", "def area(‸):\n    return width * height\n"),
    Place("condition.py", "def sign(x):\n    if ‸:\n        return -1\n    return 1\n"),
    Place("condition.js", "function sign(x) {\n  if (‸) {\n    return -1;\n  }\n  return 1;\n}\n"),
    Place("statement.js", "const area = (width, height) => ‸;\n"),
    Place("string.py", 'def greet(name):\n    return "hello ‸"\n'),
    Place("list.py", "days = [\n    'monday',\n    ‸\n]\n"),
    Place("dictionary.py", "ages = {'ann': 3, ‸}\n"),
    Place("comment.py", "# the sum of ‸\ndef add(a, b):\n    return a + b\n"),
    Place("docstring.py", 'def add(a, b):\n    """Return ‸"""\n    return a + b\n'),
    Place("import.py", "import ‸\n\nprint(os.getcwd())\n"),
    Place("between.py", "class A:\n    def f(self):\n        return 1\n‸\n    def g(self):\n        return 2\n"),
    Place("empty.py", "‸"),
    Place("empty.js", "‸"),
    Place(
        "word.py", "import hashlib\n\n\ndef digest_method(text):\n    return hashlib.md5(text)\n\n\nprint(digest_me‸)\n"
    ),
)

Door = Callable[[Place], str]

LSP_SETTINGS = {"budgetMs": PATIENT_MS, "gate": 0.0, "metrics": False}
"""Enough time for whole answers, all of which are shown."""

LANGUAGES = {"py": "python", "js": "javascript", "ts": "typescript", "rs": "rust"}
"""As the protocol spells them, by the ends of files' names that are spelt otherwise."""


def command_line(place: Place) -> str:
    """Run `quickfill complete` on a file of its own."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / place.file
        file.write_text(place.prefix + place.suffix, encoding="utf-8")
        line = place.prefix.count("\n") + 1
        column = len(place.prefix.rpartition("\n")[2]) + 1
        command = ["complete", f"{file}:{line}:{column}", "--max-tokens", str(TOKENS)]
        quickfill = str(Path(sys.executable).with_name("quickfill"))
        done = subprocess.run([quickfill, *command], capture_output=True, check=False)
        return done.stdout.decode()


async def language_server(editor: LspEditor, place: Place) -> str:
    """Ask a real server, as an editor does while its user types."""
    ending = place.file.rpartition(".")[2]
    editor.open(place.prefix, place.suffix, LANGUAGES.get(ending, ending), place.file)
    await editor.suggestion()
    await editor.at_rest()  # a block is shown as far as it is written, and the rest when it is there
    text = await editor.suggestion()
    editor.close()
    return text


def openai(client: httpx.Client, path: str) -> Door:
    def ask(place: Place) -> str:
        body = {"prompt": place.prefix, "suffix": place.suffix, "path": place.file, "max_tokens": TOKENS}
        return client.post(path, json=body).raise_for_status().json()["choices"][0]["text"]

    return ask


def infill(client: httpx.Client) -> Door:
    def ask(place: Place) -> str:
        before, line_break, line = place.prefix.rpartition("\n")
        body = {"input_prefix": before + line_break, "prompt": line, "input_suffix": place.suffix, "n_predict": TOKENS}
        return client.post("/infill", json=body).raise_for_status().json()["content"]

    return ask


@contextmanager
def serving(engine: Engine) -> Iterator[httpx.Client]:
    """A server of the engine on a free port."""
    settings = ServeSettings(port=0)
    server = uvicorn.Server(uvicorn.Config(create_app(Service(engine, settings)), lifespan="off", log_level="error"))
    with listen(settings) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            with httpx.Client(base_url=address_of(listener), timeout=120, trust_env=False) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


def cell(text: str) -> str:
    """A text in a cell of a Markdown table."""
    visible = text.replace("\n", "⏎").replace("\t", "→").replace("|", "\\|")
    return f"`{visible}`" if visible else "nothing"


async def table() -> None:
    """Print the table."""
    engine = Engine.load()
    with TemporaryDirectory() as state, serving(engine) as client:
        doors = [openai(client, "/v1/completions"), openai(client, "/v1/fim/completions"), infill(client)]
        async with lsp_editor(LSP_SETTINGS, Path(state)) as (editor, _):
            await editor.ready()
            print(HEAD)
            for place in PLACES:
                first = command_line(place)
                others = [*(ask(place) for ask in doors), await language_server(editor, place)]
                cells = ["*same*" if text == first else cell(text) for text in others]
                print(" | ".join([f"| {place.file} {cell(place.text[-60:])}", cell(first), *cells]), "|", flush=True)
    engine.close()


if __name__ == "__main__":
    asyncio.run(table())
