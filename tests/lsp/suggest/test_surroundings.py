"""What the model is told besides the document, and what it is never told."""

from __future__ import annotations

from pathlib import Path

import pytest

from coder.api.completion import Snippet
from lsp.documents import Document, Documents, TextChange, workspace_of
from lsp.settings import Settings
from lsp.suggest.surroundings import Surroundings, SurroundingsSource

MAIN = "from shapes import area\n\n\ndef total(items):\n    return sum(area(item) for item in items)\n"
SHAPES = "def area(shape):\n    return shape.width * shape.height\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "shapes.py").write_text(SHAPES)
    (folder / "main.py").write_text(MAIN)
    return folder


def around(project: Path, *others: Document, **settings: object) -> Surroundings:
    main = Document((project / "main.py").as_uri(), "python", 1, MAIN)
    documents = Documents({document.uri: document for document in (main, *others)})
    chosen = Settings.model_validate(settings)
    return SurroundingsSource().around(main, len(MAIN) - 1, documents, chosen, [project.as_uri()])()


def test_definitions_that_are_imported_and_the_workspace_are_told(project: Path):
    told = around(project)
    assert told.path == str(project / "main.py")
    assert told.workspace == str(project)
    assert any("def area(shape):" in snippet.text for snippet in told.snippets)


def test_of_a_workspace_that_is_not_trusted_only_open_buffers_are_read(project: Path):
    told = around(project, trust=False)
    assert (told.workspace, told.snippets) == (None, ())
    opened = Document((project / "shapes.py").as_uri(), "python", 1, SHAPES)
    assert any("def area(shape):" in snippet.text for snippet in around(project, opened, trust=False).snippets)


def test_the_index_can_be_switched_off(project: Path):
    assert around(project, index=False).workspace is None


def test_a_document_that_is_no_file_has_no_surroundings(project: Path):
    document = Document("untitled:Untitled-1", "python", 1, MAIN)
    source = SurroundingsSource()
    source.note(document, [TextChange("x", ((0, 0), (0, 0)))])
    gathered = source.around(document, 0, Documents({document.uri: document}), Settings(), [project.as_uri()])
    assert gathered() == Surroundings()


def test_where_the_user_edited_in_another_file_is_told(project: Path):
    source = SurroundingsSource()
    other = Document((project / "other.py").as_uri(), "python", 1, "x = 1\n" * 20)
    change = TextChange("limit = 7\n", ((10, 0), (10, 0)))
    source.note(other, [change])
    changed = other.changed([change], 2)
    main = Document((project / "main.py").as_uri(), "python", 1, "y = 1\n")
    documents = Documents({document.uri: document for document in (main, changed)})
    told = source.around(main, 0, documents, Settings(), [project.as_uri()])()
    assert any("limit = 7" in snippet.text for snippet in told.snippets)


def test_the_workspace_is_the_innermost_folder(project: Path):
    folders = [project.parent.as_uri(), project.as_uri(), "untitled:x"]
    assert workspace_of(project / "main.py", folders) == project
    assert workspace_of(Path("/elsewhere/main.py"), folders) is None


def test_what_is_excluded_meanwhile_is_not_told_any_more(project: Path):
    source, main = SurroundingsSource(), Document((project / "main.py").as_uri(), "python", 1, MAIN)

    def told(settings: Settings) -> tuple[Snippet, ...]:
        return source.around(main, 0, Documents({main.uri: main}), settings, [project.as_uri()])().snippets

    assert told(Settings())
    assert told(Settings(exclude=("shapes.py",))) == ()
