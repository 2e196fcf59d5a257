"""The choice of documents with a permissive licence: anybody may use, change and pass them on, naming the authors.

A file's own word counts before its package's: an SPDX identifier at its head (https://spdx.dev/learn/handling-license-info),
or the text or notice of a known licence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from license_expression import LicenseSymbol, LicenseWithExceptionSymbol

from data.document import CorpusDocument, Dropped, Kept, Verdict
from data.licences import licensing, normalised_expression, recognise_licence

UNSTATED = "LicenseRef-Unstated"
"""For files whose owner gave them without a word about their licence."""

PERMISSIVE = frozenset(
    "0BSD AFL-3.0 Apache-2.0 BlueOak-1.0.0 BSD-1-Clause BSD-2-Clause BSD-2-Clause-Patent BSD-3-Clause "
    "BSD-3-Clause-Clear BSD-4-Clause-UC BSL-1.0 CC0-1.0 CNRI-Python HPND ISC LicenseRef-BSD MIT MIT-0 MIT-CMU NCSA "
    "PostgreSQL PSF-2.0 Python-2.0 Python-2.0.1 Unlicense UPL-1.0 X11 Zlib ZPL-2.1".split()
)
"""SPDX identifiers."""

SPDX_TAG = re.compile(r"SPDX-License-Identifier:[ \t]*([^\n\"'*]+)")

HEAD = re.compile(
    r"(?:\s|#[^\n]*+|//[^\n]*+|/\*(?:[^*]|\*(?!/))*+\*/|--[^\n]*+|[rRuU]?\"\"\"(?:[^\"]|\"(?!\"\"))*+\"\"\""
    r"|[rRuU]?'''(?:[^']|'(?!''))*+''')*+"
)
"""The text before the first line of code: comments, and in Python the module's docstring. Possessive, so that it takes
linear time."""

LONGEST_HEAD = 20_000

NOT_PERMISSIVE = "licence not permissive"
NOT_STATED = "no licence stated"
UNCLEAR = "licence unclear"
OVERRIDDEN = "licence of the file's own"


@dataclass(frozen=True)
class Licence:
    """Attributes: allowed: SPDX identifiers. allow_unstated: keep files about whose licence nothing is known."""

    allowed: frozenset[str] = PERMISSIVE
    allow_unstated: bool = False
    name = "licence"

    def __call__(self, document: CorpusDocument) -> Verdict:
        own = licence_at_head(document.text)
        expression = document.license if own is None else own
        if not expression:
            if not self.allow_unstated or own is not None:
                return Dropped(NOT_STATED if own is None else UNCLEAR)
            return Kept(replace(document, license=UNSTATED))
        if not is_allowed(expression, self.allowed):
            return Dropped(f"{NOT_PERMISSIVE}: {expression}")
        changed = own is not None and own != document.license
        return Kept(replace(document, license=expression), (OVERRIDDEN,) if changed else ())


def licence_at_head(text: str) -> str | None:
    """The SPDX expression of a file's own head; empty if its tag is no expression, None where the head has none."""
    match = HEAD.match(text[:LONGEST_HEAD])
    head = match.group() if match else ""
    if tag := SPDX_TAG.search(head):
        return normalised_expression(tag.group(1).strip().removesuffix("-->").strip())
    return recognise_licence(head) or None


def is_allowed(expression: str, allowed: frozenset[str]) -> bool:
    """Return whether an SPDX expression can be met by allowed licences alone: any of those joined by OR, all of AND.

    An exception (`WITH`) permits more than its licence does, never less. What is no expression is not allowed.
    """
    try:
        parsed = licensing().parse(expression)
    except Exception:  # the library's errors have no common base
        return False
    return parsed is not None and _holds(parsed, allowed)


def _holds(node, allowed: frozenset[str]) -> bool:
    if isinstance(node, LicenseWithExceptionSymbol):
        return node.license_symbol.key in allowed
    if isinstance(node, LicenseSymbol):
        return node.key in allowed
    parts = [_holds(part, allowed) for part in node.args]
    return any(parts) if isinstance(node, licensing().OR) else all(parts)
