"""Golden files: a buffer with its cursor, what the model wrote, what is shown.

    language: python
    mode: line
    --- buffer
    total = add(‸)
    --- completion
    1, 2)
    --- shown
    1, 2

Settings but the language may be left out. `‸` is the cursor; `·` stands for a blank at a line's end, `→` for a tab,
`⏎` for a carriage return, `¶` for a line break at the end. `(nothing)` is shown when nothing is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from coder.postprocess.context import PostprocessContext

FOLDER = Path(__file__).parent / "golden"
VISIBLE = {"·": " ", "→": "\t", "⏎": "\r", "¶": "\n"}


@dataclass(frozen=True)
class Example:
    context: PostprocessContext
    completion: str
    shown: str | None


def read_example(file: Path) -> Example:
    text = file.read_bytes().decode()
    for visible, meant in VISIBLE.items():
        text = text.replace(visible, meant)
    settings, buffer, completion, shown = text.removesuffix("\n").split("--- ")
    prefix, suffix = _section("buffer", buffer).split("‸")
    context = PostprocessContext(prefix, suffix, **_settings(settings))
    expected = _section("shown", shown + "\n")
    return Example(context, _section("completion", completion), None if expected == "(nothing)" else expected)


def _section(name: str, text: str) -> str:
    assert text.startswith(name + "\n"), f"expected a section {name!r}, not {text!r}"
    return text.removeprefix(name + "\n").removesuffix("\n")


def _settings(text: str) -> dict:
    settings: dict = dict(line.split(": ") for line in text.splitlines())
    return settings | ({"replaces": int(settings["replaces"])} if "replaces" in settings else {})
