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


@pytest.mark.parametrize("place", ["private/shapes.py", "../other/private/shapes.py"])
def test_an_open_file_that_is_excluded_in_its_folder_is_not_told(project: Path, place: str):
    folders = [project.as_uri(), (project.parent / "other").as_uri()]
    private = Document((project / place).resolve().as_uri(), "python", 1, SHAPES.replace("area", "hidden_area"))
    main = Document((project / "main.py").as_uri(), "python", 1, MAIN.replace("area", "hidden_area"))
    documents = Documents({document.uri: document for document in (main, private)})

    def told(settings: Settings) -> Surroundings:
        return SurroundingsSource().around(main, len(MAIN), documents, settings, folders)()

    assert any("shape.width" in snippet.text for snippet in told(Settings()).snippets)
    excluding = told(Settings(exclude=("/private/",)))
    assert not any("shape.width" in snippet.text for snippet in excluding.snippets)
    assert excluding.exclude == ("/private/",)


def test_of_a_windows_drive_too(project: Path):
    main = Document("file:///c%3A/proj/main.py", "python", 1, MAIN)
    private = Document("file:///C:/proj/private/shapes.py", "python", 1, SHAPES)
    documents = Documents({document.uri: document for document in (main, private)})
    settings, folders = Settings(exclude=("/private/",), index=False), ["file:///C:/proj"]
    assert SurroundingsSource().around(main, len(MAIN), documents, Settings(index=False), folders)().snippets
    assert SurroundingsSource().around(main, len(MAIN), documents, settings, folders)().snippets == ()
