"""Slips of the fingers: a name that is another one, misspelt."""

from __future__ import annotations

SHORTEST_SLIP = 5
"""Letters of the shortest name that counts as misspelt: short names are alike by chance."""


def is_slip(name: str, meant: str) -> bool:
    """Whether `name` is `meant` with a letter too few, too many, or two neighbours exchanged.

    Another letter in the place of one, a digit, an underscore or a plural's s is rather another name.
    """
    if min(len(name), len(meant)) < SHORTEST_SLIP or abs(len(name) - len(meant)) > 1 or name == meant:
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
    """Whether one letter more, less, another, or two exchanged make `name` into `meant`, however short both are."""
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
