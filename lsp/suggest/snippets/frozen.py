"""The same snippets while the user types in one place: what the engine has read of them then stays in its cache."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from coder.api.completion import Snippet
from lsp.suggest.snippets.gathering import HEAD
from lsp.suggest.snippets.imports import imports
from lsp.suggest.snippets.place import Place

SAME_PLACE = 30
"""Lines up or down that are still the same place."""

Snippets = tuple[Snippet, ...]


@dataclass(frozen=True)
class _Gathered:
    place: Place
    modules: tuple[str, ...]
    permissions: Hashable
    snippets: Snippets


class FrozenSnippets:
    """Remembers what was gathered last. Not thread-safe."""

    def __init__(self) -> None:
        self._last: _Gathered | None = None

    def at(self, place: Place, gather: Callable[[], Snippets], permissions: Hashable = None) -> Snippets:
        """What was gathered for this place, or is now: in another file, far away, where the imports changed, or other
        things may be shown than before, as `permissions` say."""
        wanted = tuple(one.module for one in imports(place.file.text[:HEAD], place.file.language))
        last = self._last
        if (
            last is None
            or last.place.file.path != place.file.path
            or abs(last.place.line - place.line) > SAME_PLACE
            or (last.modules, last.permissions) != (wanted, permissions)
        ):
            last = self._last = _Gathered(place, wanted, permissions, gather())
        return last.snippets
