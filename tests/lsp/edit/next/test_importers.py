"""Other files of JavaScript, TypeScript and Go follow a rename where they certainly name it, and nowhere else."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from lsp.edit.next.elsewhere import EditedFile, changed_interface, followed
from lsp.edit.next.history import EditHistory

SHAPES = PurePosixPath("/project/src/shapes.ts")
SHAPES_MODULE = """export const SIDES = 4;
export function area(width: number) { return width; }
export class Box { grow() {} }
export interface Sized { size: number }
export default function main() {}
function inner() {}
"""

STACK = PurePosixPath("/project/stack/stack.go")
STACK_MODULE = """package stack

type Stack struct{ items []int }

const Most = 4

func Push(s *Stack, item int) { s.items = append(s.items, item) }

func (s *Stack) Len() int { return len(s.items) }
"""


def after(module: PurePosixPath, before: str, old: str, new: str, path: str, text: str, language: str) -> str:
    """Another file, after everything was done in it that follows from a change of the module."""
    now = before.replace(old, new, 1)
    edited = EditedFile(module, now, language, EditHistory().after(before, now))
    file = EditedFile(PurePosixPath(path), text, language, EditHistory())
    edits = [edit for change in changed_interface(edited) for edit in followed(file, module, change)]
    for edit in sorted(edits, key=lambda edit: -edit.start):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


SCRIPTS = {
    "an import and its uses": (
        "import { area, SIDES } from './shapes';\narea(1, x.area, { area: 1 });\n",
        "import { surface, SIDES } from './shapes';\nsurface(1, x.area, { area: 1 });\n",
    ),
    "an import by another name": (
        "import { area as size } from './shapes';\nsize(area);\n",
        "import { surface as size } from './shapes';\nsize(area);\n",
    ),
    "a shorthand property": (
        "import { area } from './shapes.js';\nexport const all = { area };\n",
        "import { surface } from './shapes.js';\nexport const all = { area: surface };\n",
    ),
    "the whole module": (
        "import * as shapes from './shapes';\nshapes.area(other.area, area);\n",
        "import * as shapes from './shapes';\nshapes.surface(other.area, area);\n",
    ),
    "what is exported again": (
        "export { area, SIDES } from './shapes';\n",
        "export { surface as area, SIDES } from './shapes';\n",
    ),
    "a name of an inner scope is another": (
        "import { area } from './shapes';\nconst f = (area) => area;\nf(area);\n",
        "import { surface } from './shapes';\nconst f = (area) => area;\nf(surface);\n",
    ),
}


@pytest.mark.parametrize("case", SCRIPTS)
def test_a_renamed_function_is_renamed_where_it_is_imported(case: str):
    text, expected = SCRIPTS[case]
    path = "/project/src/main.ts"
    assert after(SHAPES, SHAPES_MODULE, "area(width", "surface(width", path, text, "typescript") == expected


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/project/src/deep/main.ts", "../shapes"),
        ("/project/main.tsx", "./src/shapes"),
        ("/project/src/main.js", "./shapes.ts"),
    ],
)
def test_a_path_is_relative_to_the_file(path: str, name: str):
    text = f'import {{ area }} from "{name}";\narea(1);\n'
    expected = text.replace("area", "surface")
    assert after(SHAPES, SHAPES_MODULE, "area(width", "surface(width", path, text, "typescript") == expected


@pytest.mark.parametrize(("old", "new"), [("SIDES", "EDGES"), ("Box", "Crate"), ("Sized", "Measured")])
def test_constants_classes_and_types_are_followed_as_well(old: str, new: str):
    text = "import { SIDES, Box, type Sized } from './shapes';\nconst b: Sized = new Box(SIDES);\n"
    path = "/project/src/main.ts"
    assert after(SHAPES, SHAPES_MODULE, old, new, path, text, "typescript") == text.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("area(width", "surface(width", "import { area } from './other';\narea(1);\n"),
        ("area(width", "surface(width", "import { area } from 'shapes';\narea(1);\n"),
        ("area(width", "surface(width", "import { area } from '../shapes';\narea(1);\n"),
        ("area(width", "surface(width", "import { area } from './shapes';\nconst surface = area(1);\n"),
        ("area(width", "surface(width", "import area from './shapes';\narea(1);\n"),
        ("main", "run", "import main from './shapes';\nmain();\n"),
        ("inner", "outer", "import { inner } from './shapes';\ninner();\n"),
        ("grow", "shrink", "import { Box } from './shapes';\nnew Box().grow();\n"),
        ("width", "breadth", "import { width } from './shapes';\nwidth();\n"),
    ],
)
def test_what_is_something_else_or_may_be_stays(old: str, new: str, text: str):
    assert after(SHAPES, SHAPES_MODULE, old, new, "/project/src/main.ts", text, "typescript") == text


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("Push", "Add", "package stack\n\nfunc fill(s *Stack) { ‸Push(s, 1); other.Push(s, 2); s.Push() }\n"),
        (
            "Stack struct",
            "Pile struct",
            "package stack\n\nfunc New() *‸Stack { return &‸Stack{} }\nvar o other.Stack\n",
        ),
        ("Most", "Limit", "package stack\n\nvar rest = ‸Most - 1\n\nfunc f(Most int) int { return Most }\n"),
    ],
)
def test_files_of_a_package_of_go_follow(old: str, new: str, text: str):
    path = "/project/stack/fill.go"
    was, name = text.replace("‸", ""), old.split()[0]
    expected = text.replace(f"‸{name}", new.split()[0])
    assert after(STACK, STACK_MODULE, old, new, path, was, "go") == expected


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/project/other/fill.go", "package stack\n\nfunc f() { Push(nil, 1) }\n"),
        ("/project/stack/fill.go", 'package stack\n\nimport "a/Push"\n\nfunc f() { Push.It() }\n'),
        ("/project/stack/fill.go", "package stack\n\nfunc f(Push func()) { Push() }\n"),
        ("/project/stack/fill.go", "package stack\n\nfunc Add() { Push(nil, 1) }\n"),
    ],
)
def test_files_of_go_that_say_something_else_stay(path: str, text: str):
    assert after(STACK, STACK_MODULE, "Push", "Add", path, text, "go") == text


def test_methods_of_go_are_nobody_elses():
    text = "package stack\n\nfunc f(s *Stack) int { return s.Len() + Len }\n"
    assert after(STACK, STACK_MODULE, "Len", "Size", "/project/stack/fill.go", text, "go") == text
