"""What a change of one file makes to be changed in others: what they import, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from lsp.edit.next.elsewhere import EditedFile, Rename, changed_interface, followed
from lsp.edit.next.history import EditHistory

SHAPES = PurePosixPath("/project/geometry/shapes.py")

MODULE = """SIDES = 4


def area(width, unit):
    total = width
    return total


class Box:
    def grow(self, by):
        pass
"""


def after(text: str, old: str, new: str, path: str, edited: EditHistory | None = None) -> str:
    """Another file, after everything was done in it that follows from a change of the module."""
    now = MODULE.replace(old, new, 1)
    module = EditedFile(SHAPES, now, "python", EditHistory().after(MODULE, now))
    edits = [
        edit
        for change in changed_interface(module)
        for edit in followed(EditedFile(PurePosixPath(path), text, "python", edited or EditHistory()), SHAPES, change)
    ]
    for edit in sorted(edits, key=lambda edit: -edit.start):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "/project/main.py",
            "from geometry.shapes import area, SIDES\n\nprint(area(1, 2), x.area, f(area=1), 'area')\n",
        ),
        ("/project/main.py", "from geometry.shapes import area as size\n\nprint(size(1, 2))\n"),
        ("/project/main.py", "import geometry.shapes\n\nprint(geometry.shapes.area(1, 2), area)\n"),
        ("/project/main.py", "from geometry import shapes as s\n\nprint(s.area(1, 2), shapes.area)\n"),
        ("/project/geometry/main.py", "from .shapes import area\nprint(area)\n"),
        ("/project/geometry/inner/main.py", "from ..shapes import area\nprint(area)\n"),
        ("/project/geometry/main.py", "from . import shapes\nprint(shapes.area)\n"),
    ],
)
def test_a_renamed_function_is_renamed_where_it_is_imported(path, text):
    wanted = text
    for old in ("import area", "area(1, 2)", "shapes.area(1, 2)", "s.area(1, 2)", "print(area)", "(shapes.area)"):
        if old == "area(1, 2)" and "import area" not in text:
            continue
        wanted = wanted.replace(old, old.replace("area", "surface"))
    assert after(text, "def area", "def surface", path) == wanted
    assert wanted != text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/project/main.py", "from other.shapes import area\nprint(area)\n"),
        ("/project/main.py", "from geometry.shapes import SIDES\nprint(area)\n"),
        ("/project/main.py", "from .shapes import area\nprint(area)\n"),
        ("/project/main.py", "import shapes_more as shapes\nprint(shapes.area)\n"),
        ("/project/main.py", "area = 1\nprint(area)\n"),
        ("/project/main.py", "from geometry.shapes import *\nfrom other import *\nprint(area)\n"),
        ("/project/main.py", "from geometry.shapes import *\ndef f(area):\n    return area\n"),
        ("/project/main.py", "from other.shapes import *\nprint(area)\n"),
    ],
)
def test_what_is_something_else_or_may_be_stays(path, text):
    assert after(text, "def area", "def surface", path) == text


def test_a_star_import_brings_the_name_where_nothing_else_does():
    text = "from geometry.shapes import *\n\nprint(area(1, 2), x.area, f(area=1))\n"
    expected = text.replace("print(area", "print(surface")
    assert after(text, "def area", "def surface", "/project/main.py") == expected
    assert after(text, "def area", "def _area", "/project/main.py") == text


def test_a_star_import_of_a_module_that_names_what_it_brings_says_nothing():
    old = f'__all__ = ["area"]\n{MODULE}'
    now = old.replace("def area", "def surface")
    (change,) = changed_interface(EditedFile(SHAPES, now, "python", EditHistory().after(old, now)))
    file = EditedFile(
        PurePosixPath("/project/main.py"), "from geometry.shapes import *\narea()\n", "python", EditHistory()
    )
    assert list(followed(file, SHAPES, change)) == []


def test_a_module_of_pythons_own_is_no_file_of_that_name():
    json, text = PurePosixPath("/project/flask/json/__init__.py"), "import json\njson.dumps(1)\n"
    file = EditedFile(PurePosixPath("/project/flask/app.py"), text, "python", EditHistory())
    assert list(followed(file, json, Rename("dumps", "write"))) == []
    assert len(list(followed(replace(file, text=f"from flask {text}"), json, Rename("dumps", "write")))) == 1


def test_a_name_that_is_bound_again_stays_but_where_it_is_imported():
    text = "from geometry.shapes import area\n\ndef f(area):\n    return area\n"
    assert after(text, "def area", "def surface", "/project/main.py") == text.replace("import area", "import surface")


@pytest.mark.parametrize(("old", "new"), [("SIDES", "EDGES"), ("class Box", "class Cube")])
def test_variables_and_classes_are_followed_as_well(old, new):
    text = "from geometry.shapes import SIDES, Box\nprint(SIDES, Box())\n"
    name, other = old.split()[-1], new.split()[-1]
    assert after(text, old, new, "/project/main.py") == text.replace(name, other)


@pytest.mark.parametrize(("old", "new"), [("grow", "shrink"), ("total", "sum"), ("self, by", "self, steps")])
def test_methods_and_local_names_are_nobody_elses(old, new):
    text = "from geometry.shapes import area, Box\nprint(Box().grow(by=1), total, area(total=1))\n"
    assert after(text, old, new, "/project/main.py") == text


def test_a_parameter_is_followed_by_the_calls():
    imports = "from geometry.shapes import area as a\nimport geometry.shapes as g\n"
    text = f"{imports}a(1, unit=2)\ng.area(1, unit=2)\nf(unit=2)\n"
    renamed = text.replace("a(1, unit", "a(1, scale")
    assert after(text, "unit", "scale", "/project/main.py") == renamed
    assert after(text, ", unit", "", "/project/main.py") == text.replace("(1, unit=2)", "(1)")


def test_once_the_import_has_the_new_name_the_uses_follow():
    old = "from geometry.shapes import area\nprint(area)\n"
    now = old.replace("import area", "import surface")
    expected = now.replace("print(area)", "print(surface)")
    assert after(now, "def area", "def surface", "/project/main.py", EditHistory().after(old, now)) == expected
