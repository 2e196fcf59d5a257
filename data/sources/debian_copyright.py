"""Debian's machine-readable `debian/copyright` (DEP-5): which licence which file of a package is under."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import Parser

from data.licences import normalised_expression

SHORT_NAMES = {
    "apache-1.1": "Apache-1.1",
    "apache-2": "Apache-2.0",
    "bsd-2-clauses": "BSD-2-Clause",
    "bsd-3-clauses": "BSD-3-Clause",
    "bsl-1": "BSL-1.0",
    "boost": "BSL-1.0",
    "boost-1.0": "BSL-1.0",
    "expat": "MIT",
    "gpl-1+": "GPL-1.0-or-later",
    "gpl-2": "GPL-2.0-only",
    "gpl-2+": "GPL-2.0-or-later",
    "gpl-3": "GPL-3.0-only",
    "gpl-3+": "GPL-3.0-or-later",
    "lgpl-2+": "LGPL-2.0-or-later",
    "lgpl-2.1": "LGPL-2.1-only",
    "lgpl-2.1+": "LGPL-2.1-or-later",
    "lgpl-3+": "LGPL-3.0-or-later",
    "unicode": "Unicode-DFS-2016",
}
"""Debian's short names, in lower case, that are not SPDX's."""

OPERATORS = {"and": "AND", "or": "OR", "with": "WITH"}


@dataclass(frozen=True)
class DebianCopyright:
    """The stanzas for files: patterns and an SPDX expression, the most general first."""

    stanzas: tuple[tuple[re.Pattern[str], str], ...]

    @staticmethod
    def parse(text: str) -> DebianCopyright:
        """Read a file; one that is in another form says nothing of any file."""
        paragraphs = [Parser().parsestr(part, headersonly=True) for part in re.split(r"\n[ \t]*\n", text.strip())]
        if not paragraphs or "Format" not in paragraphs[0]:
            return DebianCopyright(())
        return DebianCopyright(
            tuple(
                (_pattern(str(paragraph["Files"])), expression_of_short_names(str(paragraph.get("License", ""))))
                for paragraph in paragraphs
                if "Files" in paragraph
            )
        )

    def license_of(self, path: str) -> str:
        """The licence of a file by its path: the last stanza that fits counts. Empty where none does."""
        return next((licence for pattern, licence in reversed(self.stanzas) if pattern.fullmatch(path)), "")


def expression_of_short_names(field: str) -> str:
    """The SPDX expression of a `License` field, of which the first line counts. A name that is not known counts as
    `LicenseRef-` and itself, so that nobody takes it for what it is not; empty where the field is no expression."""
    words = field.split("\n")[0].replace(",", " ").split()
    return normalised_expression(" ".join(_words(words)))


def _words(words: list[str]) -> Iterator[str]:
    for word in words:
        if (operator := OPERATORS.get(word.lower())) is not None:
            yield operator
        else:
            known = SHORT_NAMES.get(word.lower()) or normalised_expression(word)
            yield known or "LicenseRef-" + re.sub(r"[^A-Za-z0-9.]+", "-", word).strip("-")


def _pattern(field: str) -> re.Pattern[str]:
    """A pattern of the paths that a `Files` field lists: `*` and `?` stand for slashes too."""
    parts = [
        "".join(".*" if sign == "*" else "." if sign == "?" else re.escape(sign) for sign in one.removeprefix("./"))
        for one in field.split()
    ]
    return re.compile("|".join(parts), re.DOTALL)
