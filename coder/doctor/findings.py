"""A finding about a part of the installation, and the search for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Literal

from coder.errors import QuickfillError

GROUP = "quickfill.checks"

Status = Literal["works", "optional", "fails"]
"""`optional` is something that is not there and is not needed; `fails` is something that should work and does not."""


@dataclass(frozen=True)
class Finding:
    """One line of the page.

    Attributes:
        part: the heading that it stands under.
        remedy: what to do; never empty where the status is `fails`.
    """

    part: str
    name: str
    status: Status
    summary: str
    remedy: str = ""


Check = Callable[[], Iterator[Finding]]


def findings_of(part: str, check: Check) -> Iterator[Finding]:
    """Yield what a check finds. An error that it raises is a finding too: a doctor does not die of a disease."""
    try:
        yield from check()
    except QuickfillError as error:
        yield Finding(part, part, "fails", "does not work", str(error))
    except Exception as error:  # whatever a broken library does
        yield Finding(part, part, "fails", f"{type(error).__name__}: {error}", "report this, with this page")


def added_checks() -> Iterator[tuple[str, Check]]:
    """Yield the checks of other parts, by the names of their entry points."""
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        yield point.name, _loaded(point.load, point.name)


def _loaded(load: Callable[[], Check], name: str) -> Check:
    """Return a check that is imported when it runs, so that one which cannot be imported is a finding."""

    def check() -> Iterator[Finding]:
        yield from load()()

    return check
