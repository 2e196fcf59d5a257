"""The capabilities of an editor, read from `initialize`, whose fields may have any type.

Few imports, since `initialize` is answered before anything else is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

PositionEncoding = Literal["utf-8", "utf-16", "utf-32"]

EDITS = "capabilities", "workspace", "workspaceEdit"
ACTIONS = "capabilities", "textDocument", "codeAction"
OURS = "capabilities", "experimental", "quickfill"


@dataclass(frozen=True)
class Client:
    """An editor.

    Attributes:
        position_encoding: the unit of its columns; the first one on its list that we know.
        inline_completion: whether it shows ghost text.
        notebooks: whether it sends the cells of notebooks.
        progress: whether it shows the progress of long work.
        configuration: whether it can be asked for its settings.
        registers_configuration: whether it wants to be told that we care about their changes.
        document_changes: whether its workspace edits may name the version that they are for.
        annotations: whether they may say what each change is.
        resolves_edits: whether a code action may get its edit when it is chosen, instead of being a command.
        action_literals: whether code actions may be more than commands.
        shows_documents: whether it can be asked to show a place.
        asks_instructions: whether it knows the command `quickfill.askInstruction`.
        asks_again: whether it asks again for a suggestion that came too late for its request, once it is told.
        other_files: whether it shows next edits of other files than the one it asks about.
        folders: URIs of the workspace's folders.
        options: the settings that came with `initialize`.
    """

    name: str = ""
    position_encoding: PositionEncoding = "utf-16"
    inline_completion: bool = False
    notebooks: bool = False
    progress: bool = False
    configuration: bool = False
    registers_configuration: bool = False
    document_changes: bool = False
    annotations: bool = False
    resolves_edits: bool = False
    action_literals: bool = False
    shows_documents: bool = False
    asks_instructions: bool = False
    asks_again: bool = False
    other_files: bool = False
    folders: tuple[str, ...] = ()
    options: Any = None

    @staticmethod
    def from_initialize(params: object) -> Client:
        """Read the parameters of `initialize` (LSP 3.18, "Initialize Request")."""
        encodings = _at(params, "capabilities", "general", "positionEncodings")
        known = [encoding for encoding in _list(encodings) if encoding in get_args(PositionEncoding)]
        return Client(
            name=str(_at(params, "clientInfo", "name") or ""),
            position_encoding=known[0] if known else "utf-16",
            inline_completion=isinstance(_at(params, "capabilities", "textDocument", "inlineCompletion"), dict),
            notebooks=isinstance(_at(params, "capabilities", "notebookDocument"), dict),
            progress=_at(params, "capabilities", "window", "workDoneProgress") is True,
            configuration=_at(params, "capabilities", "workspace", "configuration") is True,
            registers_configuration=_at(
                params, "capabilities", "workspace", "didChangeConfiguration", "dynamicRegistration"
            )
            is True,
            document_changes=_at(params, *EDITS, "documentChanges") is True,
            annotations=isinstance(_at(params, *EDITS, "changeAnnotationSupport"), dict),
            resolves_edits="edit" in _list(_at(params, *ACTIONS, "resolveSupport", "properties"))
            and _at(params, *OURS, "actionCommands") is not True,
            action_literals=isinstance(_at(params, *ACTIONS, "codeActionLiteralSupport"), dict),
            shows_documents=_at(params, "capabilities", "window", "showDocument", "support") is True,
            asks_instructions=_at(params, *OURS, "askInstruction") is True,
            asks_again=_at(params, *OURS, "lateSuggestions") is True,
            other_files=_at(params, *OURS, "nextEditOtherFiles") is True,
            folders=tuple(_folders(params)),
            options=_at(params, "initializationOptions"),
        )

    @property
    def completion_menu(self) -> bool:
        """Return whether to offer suggestions in the completion menu: for editors without ghost text, or when asked
        to."""
        wanted = _at(self.options, "completionMenu")
        return wanted == "always" or (wanted != "never" and not self.inline_completion)


def _folders(params: object) -> Iterator[str]:
    folders = [_at(folder, "uri") for folder in _list(_at(params, "workspaceFolders"))]
    for uri in folders or [_at(params, "rootUri")]:
        if isinstance(uri, str):
            yield uri


def _at(value: object, *keys: str) -> Any:
    """The value at a path of keys; None where there is no such path."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
