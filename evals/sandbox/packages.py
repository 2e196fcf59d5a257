"""Where installed packages are, with all that they need."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib import metadata

from evals.sandbox.program import SandboxError

NOT_IMPORTED = ("..", "bin", "__pycache__")
"""What distributions install beside packages."""


def package_locations(packages: Iterable[str]) -> dict[str, str]:
    """The files and folders that packages consist of, by their name in the folder that Python imports from; what they
    require included, as far as it is installed.

    Raises SandboxError for a package that is not installed.
    """
    locations: dict[str, str] = {}
    for distribution in _with_required(packages):
        names = {file.parts[0] for file in distribution.files or ()}
        for name in sorted(names - set(NOT_IMPORTED)):
            path = str(distribution.locate_file(name))
            if not name.endswith(".pth"):
                locations[name] = path
    return locations


def _with_required(packages: Iterable[str]) -> Iterator[metadata.Distribution]:
    wanted = [name for package in packages for name in _distributions_of(package)]
    seen: set[str] = set()
    while wanted:
        name = wanted.pop().lower().replace("_", "-")
        if name in seen:
            continue
        seen.add(name)
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # required elsewhere only: on another system, of another Python
            continue
        yield distribution
        for requirement in distribution.requires or ():
            found = re.match(r"[\w.-]+", requirement)
            if found and "extra ==" not in requirement:
                wanted.append(found[0])


def _distributions_of(package: str) -> list[str]:
    names = metadata.packages_distributions().get(package)
    if not names:
        raise SandboxError(f"programs are to import the package {package!r}, which is not installed here")
    return list(names)
