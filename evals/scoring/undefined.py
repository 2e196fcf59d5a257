"""Names that an answer uses and nothing defines."""

from __future__ import annotations

from coder.syntax.names import undefined_names


def new_undefined_names(program: str, canonical_program: str) -> list[str] | None:
    """Names that a Python program reads and nothing binds, those of its canonical version aside, each once.

    None where nothing can be said, as with star imports.
    """
    found = undefined_names(program, "python")
    if found is None:
        return None
    known = {name for name, _ in undefined_names(canonical_program, "python") or []}
    return list(dict.fromkeys(name for name, _ in found if name not in known))
