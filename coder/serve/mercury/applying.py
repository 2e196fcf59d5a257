"""Merging a lazy edit into a file whose language Mercury's API does not tell."""

from __future__ import annotations

from coder.api.completion import Where
from coder.api.text_requests import ApplyRequest
from coder.errors import InputError
from coder.serve.service import EngineTurn
from coder.syntax.languages import LANGUAGES, language_for
from coder.syntax.soundness import is_sound


def applied(turn: EngineTurn, original: str, update: str, language: str | None) -> str:
    """The file with the update in it. Raises InputError where nothing sound comes of it."""
    known = language_for(language, None)
    name = known.name if known else language_of_text(original)
    if name is None:
        raise InputError("it cannot be told what language the code is in; name it in the field `language`")
    return turn.engine.apply(ApplyRequest(original, update, where=Where(language=name)), turn.cancelled).text


def language_of_text(text: str) -> str | None:
    """The first language with a grammar whose rules a text keeps; None where there is none."""
    names = [language.name for language in LANGUAGES if language.grammar is not None]
    return next((name for name in names if is_sound(text, name)), None)
