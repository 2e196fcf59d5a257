"""Markers of a lazy edit: comment lines that stand for code of the file that the edit does not repeat."""

from __future__ import annotations

import re

_SUBJECT = (
    r"(?:code|content|lines?|imports?|functions?|methods?|class(?:es)?|body|fields?|implementation|logic|file|here)"
)
_ADJECTIVE = r"(?:existing|unchanged|remaining|previous|original|other|same)"
_PHRASE = rf"""
    (?:keep\ |leave\ )?(?:the\ )?(?:rest|remainder)\ of\ .*             # rest of the file, rest of code unchanged
  | (?:keep\ |leave\ )?(?:the\ |all\ |all\ of\ the\ )?{_ADJECTIVE}\b(?:\ \w+){{0,4}}?\ {_SUBJECT}\b.*
  | (?:the\ )?rest(?:\ is|\ remains|\ stays)?(?:\ the)?\ (?:unchanged|same)
  | (?:\w+\ ){{0,4}}{_SUBJECT}\ (?:is\ |are\ |remains?\ |stays?\ )?(?:the\ )?(?:unchanged|same|omitted)(?:\ .*)?
  | unchanged
"""
_DOTS = r"(?:\.\.\.|…)"
_OPENING = r"(?:\#+|//+|--+|;+|%+|/\*+|<!--|\{/\*|\(\*)"
_CLOSING = r"(?:\*+/\}?|-->|\*\))?"
_MARKER = re.compile(
    rf"\s*{_OPENING}\s*(?:{_DOTS}\s*(?:\(?\s*(?:{_PHRASE})\s*\)?\s*{_DOTS}?)?|\(?(?:{_PHRASE})\)?\s*{_DOTS})\s*{_CLOSING}\s*",
    re.IGNORECASE | re.VERBOSE,
)


def is_marker(line: str) -> bool:
    """Return whether the line is a comment that says "code as it is": three dots alone, or three dots and words such as
    `existing code` or `rest of the file`."""
    return _MARKER.fullmatch(line) is not None
