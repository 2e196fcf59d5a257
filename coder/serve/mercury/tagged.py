"""Mercury's tags: the texts between `<|name|>` and `<|/name|>` in a message.

Source: Inception's documentation of Mercury's edit and apply endpoints, and the clients written to it.
"""

from __future__ import annotations

from dataclasses import dataclass

from coder.serve.http.refusals import RefusedError

CURSOR = "<|cursor|>"
PATH = "current_file_path:"


@dataclass(frozen=True)
class TaggedEdit:
    """A file, a region of it that may change, and where the cursor is; offsets into `text`.

    Attributes:
        cursor: None where the region has none.
    """

    path: str
    text: str
    start: int
    end: int
    cursor: int | None

    def region_of(self, changed: str) -> str:
        """The region in a changed text."""
        return changed[self.start : len(changed) - (len(self.text) - self.end)]


@dataclass(frozen=True)
class Apply:
    """A file and what is to change in it, unchanged parts left out."""

    original: str
    update: str


def next_edit(message: str) -> TaggedEdit:
    """Raises RefusedError where a tag is missing."""
    content = between(message, "current_file_content")
    first, _, rest = content.partition("\n")
    path, content = (first.removeprefix(PATH).strip(), rest) if first.startswith(PATH) else ("", content)
    opening, closing = "<|code_to_edit|>", "<|/code_to_edit|>"
    region = between(content, "code_to_edit")
    before, after = content.partition(opening)[0], content.rpartition(closing)[2]
    offset = region.find(CURSOR)
    cursor = None if offset == -1 else len(before) + offset
    region = region.replace(CURSOR, "")
    return TaggedEdit(path, before + region + after, len(before), len(before) + len(region), cursor)


def apply(message: str) -> Apply:
    """Raises RefusedError where a tag is missing."""
    return Apply(between(message, "original_code"), between(message, "update_snippet"))


def between(message: str, name: str) -> str:
    """The text in a tag, without the line breaks that separate it from the tag."""
    _, opened, rest = message.partition(f"<|{name}|>")
    text, closed, _ = rest.rpartition(f"<|/{name}|>")
    if not opened or not closed:
        raise RefusedError(f"the message has no <|{name}|> … <|/{name}|>")
    return text.removeprefix("\n").removesuffix("\n")
