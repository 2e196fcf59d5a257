"""A project's files: what is held out is not learned from."""

from __future__ import annotations

from pathlib import Path

import pytest

from coder.errors import InputError
from coder.model.checkpoint.config import Abilities
from data.adapt.project import SHORTEST_LINE, read_project, settings_for, single_lines
from data.pack.settings import ExampleKind

TEXT = '''def {name}(values):
    """Add them up, one by one."""
    total = 0
    for value in values:
        total = total + value
    return total
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(10):
        (tmp_path / f"module_{number}.py").write_text(TEXT.format(name=f"sum_{number}"))
    (tmp_path / "constants.py").write_text("NUMBER = 1\n" * 20)
    return tmp_path


def test_some_files_with_functions_are_set_aside(folder: Path):
    project = read_project(folder, 0.2, 0)
    assert len(project.held_out) == 2
    assert len(project.training) == 9
    assert not {file.path for file in project.held_out} & {file.path for file in project.training}
    assert all(file.pieces.functions for file in project.held_out)
    assert read_project(folder, 0.2, 0) == project != read_project(folder, 0.2, 1)
    assert len(read_project(folder, 0.9, 0).held_out) == 9
    assert len(read_project(folder, 0.01, 0).held_out) == 1


def test_a_project_of_one_file_cannot_be_judged(folder: Path):
    for number in range(1, 10):
        (folder / f"module_{number}.py").unlink()
    with pytest.raises(InputError, match="has 1 files with functions"):
        read_project(folder, 0.2, 0)


def test_holes_are_different_lines_of_functions(folder: Path):
    files = read_project(folder, 0.2, 0).held_out
    holes = list(single_lines(files, 12, 0))
    assert len(set(holes)) == len(holes) == 12
    for prefix, middle, suffix in holes:
        assert prefix + middle + suffix in {file.text for file in files}
        assert "\n" not in middle
        assert len(middle) >= SHORTEST_LINE
        assert '"""Add them up' in prefix
    assert len(list(single_lines(files[:1], 300, 0))) < 300


def test_a_checkpoint_is_shown_what_it_can_do_already():
    plain, able = settings_for(Abilities()), settings_for(Abilities(holes=True, edits=True, context=True))
    assert set(plain.kinds) == {ExampleKind.FUNCTION, ExampleKind.INFILL}
    assert plain.other_files == 0
    assert set(able.kinds) == {ExampleKind.FUNCTION, ExampleKind.INFILL, ExampleKind.HOLES}
    assert able.other_files > 0
