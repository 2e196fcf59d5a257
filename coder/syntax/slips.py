"""Slips of the fingers: a name that is another one, misspelt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

SHORTEST_SLIP = 5
"""Letters of the shortest name that counts as misspelt: short names are alike by chance."""

LONGEST_NAME = 100
"""Letters of the longest one: nobody types more, and comparing names takes the square of it."""


def misspelt(names: Iterable[str], known: Iterable[str]) -> set[str]:
    """Those of the names that are slips of a known one. Only names that become equal by leaving out a letter are
    compared, so the work grows with the number of names and not with that of their pairs."""
    alike: dict[str, list[str]] = {}
    for name in names:
        for rest in _shortened(name):
            alike.setdefault(rest, []).append(name)
    if not alike:
        return set()
    return {
        name for other in known for rest in _shortened(other) for name in alike.get(rest, ()) if is_slip(name, other)
    }


def _shortened(name: str) -> Iterator[str]:
    """The name, and what is left of it without one of its letters."""
    if SHORTEST_SLIP <= len(name) <= LONGEST_NAME:
        yield name
        yield from {name[:index] + name[index + 1 :] for index in range(len(name))}


def is_slip(name: str, meant: str) -> bool:
    """Return whether `name` is `meant` with a letter too few, too many, or two neighbours exchanged.

    Another letter in the place of one, a digit, an underscore or a plural's s is rather another name.
    """
    lengths = len(name), len(meant)
    if min(lengths) < SHORTEST_SLIP or max(lengths) > LONGEST_NAME or abs(len(name) - len(meant)) > 1 or name == meant:
        return False
    if len(name) == len(meant):
        differing = [index for index in range(len(name)) if name[index] != meant[index]]
        first, last = differing[0], differing[-1]
        return last == first + 1 and name[first] == meant[last] and name[last] == meant[first]
    longer, shorter = (name, meant) if len(name) > len(meant) else (meant, name)
    for index, letter in enumerate(longer):
        if longer[:index] + longer[index + 1 :] == shorter:
            return letter.isalpha() and letter != "s" and 0 < index < len(longer) - 1
    return False


def is_near(name: str, meant: str) -> bool:
    """Return whether one letter more, less, another, or two exchanged make `name` into `meant`, however short both
    are."""
    if name == meant or abs(len(name) - len(meant)) > 1:
        return False
    if len(name) == len(meant):
        differing = [index for index in range(len(name)) if name[index] != meant[index]]
        if len(differing) == 1:
            return len(name) > 1
        first, last = differing[0], differing[-1]
        return last == first + 1 and name[first] == meant[last] and name[last] == meant[first]
    longer, shorter = (name, meant) if len(name) > len(meant) else (meant, name)
    return any(longer[:index] + longer[index + 1 :] == shorter for index in range(len(longer)))
