"""What comes next after an edit, as an editor gets it from a real server."""

# ruff: noqa: E501

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types

from coder.editing.next_edit import LINES_AROUND
from tests.e2e.buffers import Buffer
from tests.e2e.editor import SCRIPTED, Editor, editor

pytestmark = pytest.mark.asyncio(loop_scope="module")

URI = "file:///a.py"
TEXT = "def total(count, price):\n    assert count > 0, '😋'\n    return count * price\n"
FULL = "def total(amount, price):\n    assert amount > 0, '😋'\n    return amount * price\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session(tmp_path_factory: pytest.TempPathFactory):
    async with editor(tmp_path_factory.mktemp("session"), options={"nextEdit": True}) as connected:
        await connected.ready()
        yield connected


def renaming(session: Editor, text: str = TEXT) -> Buffer:
    """A parameter has just been renamed."""
    session.open(text)
    buffer = Buffer(URI, text)
    type_over(session, buffer, "count", "amount")
    return buffer


def type_over(session: Editor, buffer: Buffer, part: str, new: str) -> None:
    """Replace the first occurrence of a part, key by key."""
    start = buffer.text.index(part)
    change(session, buffer, start, start + len(part), "")
    for index, character in enumerate(new):
        change(session, buffer, start + index, start + index, character)


def change(session: Editor, buffer: Buffer, start: int, end: int, text: str) -> None:
    first, last = buffer.position(start), buffer.position(end)
    session.change(first, last, text, buffer.uri)
    buffer.text = buffer.text[:start] + text + buffer.text[end:]
    buffer.version += 1


def accept(session: Editor, buffer: Buffer, edit: Any) -> None:
    """Apply a next edit as an editor does, and tell the server of the change."""
    assert (edit.textDocument.uri, edit.textDocument.version) == (buffer.uri, buffer.version)
    place = edit.range
    start = buffer.offset(place.start.line, place.start.character)
    change(session, buffer, start, buffer.offset(place.end.line, place.end.character), edit.text)


async def next_edits(session: Editor, buffer: Buffer, kind: int = 2, method: str = "quickfill/nextEdit") -> list[Any]:
    document = {"uri": buffer.uri, "version": buffer.version}
    params = {"textDocument": document, "position": {"line": 0, "character": 0}, "context": {"triggerKind": kind}}
    return list((await session.request(method, params)).edits)


@pytest.mark.parametrize("method", ["quickfill/nextEdit", "textDocument/copilotInlineEdit"])
async def test_a_rename_goes_on_until_it_is_done(session: Editor, method):
    buffer = renaming(session)
    for _ in range(2):
        edit, *_ = await next_edits(session, buffer, method=method)
        assert (edit.text, edit.source, edit.title) == ("amount", "rename", "Rename count to amount")
        assert edit.command.command == "quickfill.accepted" and edit.command.arguments == [edit.id]
        accept(session, buffer, edit)
    assert buffer.text == FULL
    assert await next_edits(session, buffer) == []


async def test_what_was_not_wanted_is_not_offered_again_but_when_asked_for(session: Editor):
    buffer = renaming(session)
    first, *_ = await next_edits(session, buffer)
    end = len(buffer.text)
    change(session, buffer, end, end, "# something else\n")
    assert {edit.range.start.line for edit in await next_edits(session, buffer)} == {1, 2} - {first.range.start.line}
    assert {edit.range.start.line for edit in await next_edits(session, buffer, kind=1)} == {1, 2}


async def test_a_request_about_another_version_is_refused(session: Editor):
    buffer = renaming(session)
    buffer.version -= 1
    params = {"textDocument": {"uri": URI, "version": buffer.version}, "position": {"line": 0, "character": 0}}
    assert await session.error_of("quickfill/nextEdit", params) == -32801


async def test_without_an_edit_nothing_comes_next(session: Editor):
    session.open(TEXT)
    assert await next_edits(session, Buffer(URI, TEXT), kind=1) == []


async def test_line_breaks_and_columns_are_the_documents(session: Editor):
    text = "x = '😋'; warn(1)\r\nx = '😋'; warn(2)\r\n"
    session.open(text)
    buffer = Buffer(URI, text)
    type_over(session, buffer, "warn", "warning")
    edit, *_ = await next_edits(session, buffer, kind=1)
    accept(session, buffer, edit)
    assert buffer.text == "x = '😋'; warning(1)\r\nx = '😋'; warning(2)\r\n"


SHAPES = "def area(width):\n    return width\n"
MAIN = "from a import area\n\nprint(area(1))\n"


async def test_a_change_goes_on_in_other_files_of_an_editor_that_shows_them(tmp_path: Path):
    async with editor(tmp_path, options={"nextEdit": True}, other_files=True) as session:
        await session.ready()
        session.open(MAIN, "file:///main.py")
        session.open(SHAPES)
        shapes, main = Buffer(URI, SHAPES), Buffer("file:///main.py", MAIN)
        type_over(session, shapes, "area", "surface")
        asked_in = shapes
        while found := await next_edits(session, asked_in):
            edit, asked_in = found[0], main
            assert (edit.textDocument.uri, edit.textDocument.version) == (main.uri, main.version)
            assert edit.title == "Rename area to surface"
            accept(session, main, edit)
        assert main.text == MAIN.replace("area", "surface")


FOLLOWED = {
    "typescript": (
        ("file:///src/shapes.ts", "export function area(a: number) {\n  return a;\n}\n"),
        ("file:///src/main.ts", "import { area } from './shapes';\n\nconsole.log(area(1), area(2), x.area);\n"),
        "import { surface } from './shapes';\n\nconsole.log(surface(1), surface(2), x.area);\n",
    ),
    "go": (
        ("file:///src/shapes.go", "package a\n\nfunc area(a int) int {\n\treturn a\n}\n"),
        ("file:///src/main.go", "package a\n\nfunc f() int {\n\treturn area(1) + area(2) + x.area\n}\n"),
        "package a\n\nfunc f() int {\n\treturn surface(1) + surface(2) + x.area\n}\n",
    ),
    "python": (
        ("file:///src/shapes.py", "def area(a):\n    return a\n"),
        ("file:///src/main.py", "from shapes import *\n\nprint(area(1), area(2), x.area)\n"),
        "from shapes import *\n\nprint(surface(1), surface(2), x.area)\n",
    ),
}


@pytest.mark.parametrize("language", FOLLOWED)
async def test_what_other_files_certainly_name_follows_use_by_use(tmp_path: Path, language: str):
    (module_uri, module), (main_uri, main), expected = FOLLOWED[language]
    async with editor(tmp_path, options={"nextEdit": True}, other_files=True) as session:
        await session.ready()
        session.open(main, main_uri, language)
        session.open(module, module_uri, language)
        changed, other = Buffer(module_uri, module), Buffer(main_uri, main)
        type_over(session, changed, "area", "surface")
        asked_in = changed
        while found := await next_edits(session, asked_in):
            asked_in = other
            accept(session, other, found[0])
        assert other.text == expected


async def test_what_was_not_wanted_in_another_file_is_not_offered_again_but_when_asked_for(tmp_path: Path):
    async with editor(tmp_path, options={"nextEdit": True}, other_files=True) as session:
        await session.ready()
        session.open(MAIN, "file:///main.py")
        session.open(SHAPES)
        shapes = Buffer(URI, SHAPES)
        type_over(session, shapes, "area", "surface")
        assert await next_edits(session, shapes)
        end = len(shapes.text)
        change(session, shapes, end, end, "# something else\n")
        assert not await next_edits(session, shapes)
        assert await next_edits(session, shapes, kind=1)


async def test_other_editors_are_told_of_their_file_alone(session: Editor):
    session.open(MAIN, "file:///main.py")
    session.open(SHAPES)
    shapes = Buffer(URI, SHAPES)
    type_over(session, shapes, "area", "surface")
    assert await next_edits(session, shapes, kind=1) == []


async def test_a_command_makes_the_next_edit(session: Editor):
    buffer = renaming(session)
    before = len(session.edits)
    await session.request(types.WORKSPACE_EXECUTE_COMMAND, types.ExecuteCommandParams("quickfill.nextEdit"))
    (edit,) = session.edits[before:]
    buffer.apply_workspace_edit(edit)
    assert buffer.text.count("amount") == 2


async def test_a_model_that_can_writes_what_is_around_the_cursor_for_who_asks(tmp_path: Path):
    async with editor(tmp_path, (*SCRIPTED, "capitals"), {"nextEdit": True}) as session:
        await session.ready()
        text = "".join(f"line_{number}\n" for number in range(20))
        session.open(text)
        buffer = Buffer(URI, text)
        assert await next_edits(session, buffer) == []
        (edit,) = await next_edits(session, buffer, kind=1)
        assert edit.source == "model"
        accept(session, buffer, edit)
        untouched = text.index(f"line_{LINES_AROUND + 1}\n")
        assert buffer.text == text[:untouched].upper() + text[untouched:]


async def test_unless_they_are_wanted_none_is_offered_unasked(tmp_path: Path):
    async with editor(tmp_path, options={"nextEdit": False}) as session:
        await session.ready()
        buffer = renaming(session)
        assert await next_edits(session, buffer, kind=2) == []
        assert len(await next_edits(session, buffer, kind=1)) > 0
        assert (await session.status()).nextEdit is False


RENAMES = [
    ("python", "‸x = 1; g = lambda x: x + 1; print(x)\n", "x", "y", "y = 1; g = lambda x: x + 1; print(y)\n"),
    (
        "python",
        "def total(prices, ‸rate):\n    return sum(prices) * (1 + rate)\n\ntotal([], rate=1)\nother(rate=2)\n",
        "rate",
        "tax",
        "def total(prices, tax):\n    return sum(prices) * (1 + tax)\n\ntotal([], tax=1)\nother(rate=2)\n",
    ),
    (
        "python",
        "def f(‸n):\n    def g(n):\n        return n\n    return g(n) + sum(n for n in [1])\n",
        "n",
        "m",
        "def f(m):\n    def g(n):\n        return n\n    return g(m) + sum(n for n in [1])\n",
    ),
    (
        "python",
        "‸count = 0\ndef f():\n    global count\n    count += 1\ndef h(count):\n    return count\n",
        "count",
        "total",
        "total = 0\ndef f():\n    global total\n    total += 1\ndef h(count):\n    return count\n",
    ),
    (
        "python",
        "def f():\n    ‸n = 0\n    def g():\n        nonlocal n\n        n += 1\n    n = 5\n    return n\n",
        "n",
        "m",
        "def f():\n    m = 0\n    def g():\n        nonlocal m\n        m += 1\n    m = 5\n    return m\n",
    ),
    ("python", "import ‸numpy\nprint(numpy.pi, x.numpy)\n", "numpy", "np", "import np\nprint(np.pi, x.numpy)\n"),
    (
        "python",
        "class ‸Shape:\n    pass\nclass Square(Shape):\n    pass\nShape.Shape = Shape()\n",
        "Shape",
        "Form",
        "class Form:\n    pass\nclass Square(Form):\n    pass\nForm.Shape = Form()\n",
    ),
    (
        "python",
        "class A:\n    def ‸area(self):\n        return 1\n    def two(self):\n        return self.area()\nb.area()\n",
        "area",
        "size",
        "class A:\n    def size(self):\n        return 1\n    def two(self):\n        return self.size()\nb.area()\n",
    ),
    (
        "typescript",
        "function f(‸name: string) {\n  const g = (name: string) => name;\n  return { name, other: g(name) };\n}\n",
        "name",
        "title",
        "function f(title: string) {\n  const g = (name: string) => name;\n  return { name: title, other: g(title) };\n}\n",
    ),
    (
        "typescript",
        "let ‸x = 1;\n{ let x = 2; use(x); }\nuse(x);\nexport { x };\n",
        "x",
        "y",
        "let y = 1;\n{ let x = 2; use(x); }\nuse(y);\nexport { y as x };\n",
    ),
    (
        "typescript",
        "class A { ‸count = 0; inc() { [1].map(() => this.count); } }\nlet count; o.count;\n",
        "count",
        "total",
        "class A { total = 0; inc() { [1].map(() => this.total); } }\nlet count; o.count;\n",
    ),
    ("javascript", "const { ‸name } = p;\nlog(name, p.name);\n", "name", "title", "const { title } = p;\nlog(title, p.name);\n"),
    ("javascript", "import { ‸area } from 'a';\nlog(area(1));\n", "area", "size", "import { size } from 'a';\nlog(size(1));\n"),
    ("javascript", "for (const ‸each of xs) { f(each); }\neach;\n", "each", "x", "for (const x of xs) { f(x); }\neach;\n"),
    (
        "go",
        "package a\n\nfunc f(‸n int) int {\n\tif n := n + 1; n > 2 {\n\t\treturn n\n\t}\n\treturn n + P{n: n}.n\n}\n",
        "n",
        "k",
        "package a\n\nfunc f(k int) int {\n\tif n := k + 1; n > 2 {\n\t\treturn n\n\t}\n\treturn k + P{n: k}.n\n}\n",
    ),
    (
        "go",
        "package a\n\nfunc f() {\n\t‸x := 1\n\t{\n\t\tx := x + 1\n\t\tuse(x)\n\t}\n\tuse(x)\n}\n",
        "x",
        "y",
        "package a\n\nfunc f() {\n\ty := 1\n\t{\n\t\tx := y + 1\n\t\tuse(x)\n\t}\n\tuse(y)\n}\n",
    ),
    (
        "go",
        "package a\n\ntype ‸Box struct{ n int }\n\nfunc New() *Box { return &Box{} }\nfunc (b Box) Len() int { return b.Box }\n",
        "Box",
        "Crate",
        "package a\n\ntype Crate struct{ n int }\n\nfunc New() *Crate { return &Crate{} }\n"
        "func (b Crate) Len() int { return b.Box }\n",
    ),
    (
        "java",
        "class A {\n  private int ‸count;\n  void set(int count) { this.count = count; }\n  int get() { return count; }\n}\n",
        "count",
        "total",
        "class A {\n  private int total;\n  void set(int count) { this.total = count; }\n  int get() { return total; }\n}\n",
    ),
    (
        "java",
        "class A {\n  int ‸size() { return 1; }\n  int size;\n  int f() { return size() + this.size() + o.size() + size; }\n}\n",
        "size",
        "length",
        "class A {\n  int length() { return 1; }\n  int size;\n"
        "  int f() { return length() + this.length() + o.size() + size; }\n}\n",
    ),
    (
        "java",
        "class A {\n  void f(int ‸n) { for (int i = 0; i < n; i++) { run(() -> g(n)); } }\n  void g(int n) { n++; }\n}\n",
        "n",
        "count",
        "class A {\n  void f(int count) { for (int i = 0; i < count; i++) { run(() -> g(count)); } }\n"
        "  void g(int n) { n++; }\n}\n",
    ),
    (
        "typescript",
        "class A { #‸n = 0; get n() { return this.#n; } }\n",
        "n",
        "count",
        "class A { #count = 0; get n() { return this.#count; } }\n",
    ),
    (
        "rust",
        "fn f(‸n: i32) -> P {\n    let g = |n: i32| n + 1;\n    if let Some(n) = h(n) { g(n) } else { g(n) };\n    P { n }\n}\n",
        "n",
        "size",
        "fn f(size: i32) -> P {\n    let g = |n: i32| n + 1;\n    if let Some(n) = h(size) { g(n) } else { g(size) };\n"
        "    P { n: size }\n}\n",
    ),
    (
        "rust",
        "fn f(x: i32) -> i32 {\n    let ‸y = x;\n    let y = y + 1;\n    println!(\"{}\", y);\n    y\n}\n",
        "y",
        "first",
        "fn f(x: i32) -> i32 {\n    let first = x;\n    let y = first + 1;\n    println!(\"{}\", y);\n    y\n}\n",
    ),
    (
        "rust",
        "struct ‸Point { x: i32 }\n\nimpl Point {\n    fn new() -> Point {\n        Point { x: 1 }\n    }\n}\n\nfn f() -> a::Point { Point::new() }\n",
        "Point",
        "Spot",
        "struct Spot { x: i32 }\n\nimpl Spot {\n    fn new() -> Spot {\n        Spot { x: 1 }\n    }\n}\n\nfn f() -> a::Point { Spot::new() }\n",
    ),
    # The new name has a meaning already, or there are others of the name: nothing is sure, nothing is offered.
    ("python", "def f(‸a):\n    b = 1\n    return a + b\n", "a", "b", "def f(b):\n    b = 1\n    return a + b\n"),
    ("go", "package a\n\nfunc f(‸a, b int) int { return a }\n", "a", "b", "package a\n\nfunc f(b, b int) int { return a }\n"),
    (
        "java",
        "class A {\n  void ‸f(int n) {}\n  void f(String s) {}\n  void h() { f(1); }\n}\n",
        "f",
        "g",
        "class A {\n  void g(int n) {}\n  void f(String s) {}\n  void h() { f(1); }\n}\n",
    ),
    ("typescript", "const ‸a = 1;\n(b: number) => a + b;\n", "a", "b", "const b = 1;\n(b: number) => a + b;\n"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "text", "old", "new", "renamed"), RENAMES)
async def test_the_uses_of_a_renamed_declaration_follow_and_nothing_else(
    session: Editor, language, text, old, new, renamed
):
    """They are offered unasked, right after the last key."""
    start, text = text.index("‸"), text.replace("‸", "")
    session.open(text, language=language)
    buffer = Buffer(URI, text)
    change(session, buffer, start, start + len(old), "")
    for index, character in enumerate(new):
        change(session, buffer, start + index, start + index, character)
    while found := await next_edits(session, buffer):
        accept(session, buffer, found[0])
    assert buffer.text == renamed


async def test_one_use_that_changes_is_no_rename(session: Editor):
    text = "first = 1\nsecond = 2\nprint(first)\nprint(first, 3)\n"
    session.open(text)
    buffer = Buffer(URI, text)
    start = text.index("first", 5)
    change(session, buffer, start, start + 5, "second")
    assert [edit.range.start.line for edit in await next_edits(session, buffer)] in ([], [3])
    assert all(edit.probability < 0.98 for edit in await next_edits(session, buffer, kind=1))
