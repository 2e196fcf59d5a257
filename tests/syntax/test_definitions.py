"""What a file defines, shortened to what its users want to know."""

from __future__ import annotations

import pytest

from coder.syntax.definitions import definitions

PYTHON = '''
LIMIT = 3


@cached
def short(a, b):
    return a + b


async def long(first: int, second: int) -> int:
    """Say what."""
    a = first
    b = second
    c = a
    d = b
    return c + d


class Cart:
    """A cart."""

    items: list[str]

    def add(self, item: str) -> None:
        self.items.append(item)
        self.items.append(item)

    @property
    def size(self) -> int:
        return len(self.items)
'''


def shown(text: str, language: str) -> dict[str, str]:
    return {definition.name: definition.text for definition in definitions(text, language)}


def test_python():
    found = shown(PYTHON, "python")
    assert list(found) == ["LIMIT", "short", "long", "Cart"]
    assert found["LIMIT"] == "LIMIT = 3"
    assert found["short"] == "def short(a, b):\n    return a + b"
    assert found["long"] == "async def long(first: int, second: int) -> int: ..."
    assert found["Cart"].splitlines()[0] == "class Cart:"
    assert "    def add(self, item: str) -> None: ..." in found["Cart"].splitlines()
    assert "    def size(self) -> int: ..." in found["Cart"].splitlines()
    assert "append" not in found["Cart"]


@pytest.mark.parametrize(
    ("language", "text", "names"),
    [
        (
            "typescript",
            "export interface A { x: number }\nexport type B = A;\nexport const c = 1;\nexport default class D {}\n",
            ["A", "B", "c", "D"],
        ),
        ("javascript", "function f() {}\nconst g = () => 1;\nexport async function h() {}\n", ["f", "g", "h"]),
        (
            "go",
            "package a\n\ntype T struct{ x int }\n\nfunc (t T) M() {}\n\nfunc F() {}\n\nconst C = 1\n",
            ["T", "M", "F", "C"],
        ),
        (
            "rust",
            "pub struct A { x: u8 }\nimpl A { fn f() {} }\npub const C: u8 = 1;\npub enum E { X }\nfn g() {}\n",
            ["A", "A", "C", "E", "g"],
        ),
        ("java", "package a;\npublic class A { int f() { return 1; } }\ninterface B {}\n", ["A", "B"]),
        (
            "c",
            "#ifndef H\n#define H\n#define LIMIT 3\nint f(int a);\nstruct S { int x; };\ntypedef struct S T;\n#endif\n",
            ["H", "LIMIT", "f", "S", "T"],
        ),
        ("cpp", "namespace n { class A { int x; }; int f() { return 1; } }\n", ["A", "f"]),
    ],
)
def test_other_languages(language: str, text: str, names: list[str]):
    assert [definition.name for definition in definitions(text, language)] == names


def test_braces_are_closed():
    text = "export class A {\n" + "".join(f"  m{i}() {{ return {i}; }}\n" for i in range(9)) + "}\n"
    lines = shown(text, "typescript")["A"].splitlines()
    assert lines[0] == "export class A {"
    assert lines[1] == "  m0() ..."
    assert lines[-1] == "}"


def test_no_grammar_no_definitions():
    assert definitions("x = 1", "plaintext") == []
