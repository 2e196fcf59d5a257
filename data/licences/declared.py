"""Licences as packages declare them, in SPDX's terms."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from license_expression import ExpressionError, ExpressionParseError, Licensing, get_spdx_licensing

SOME_BSD = "LicenseRef-BSD"
"""A BSD licence whose clauses nobody tells. All of them would do."""

ALIASES = {
    "apache": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0",
    "apache-2": "Apache-2.0",
    "apache2": "Apache-2.0",
    "bsd": SOME_BSD,
    "bsd 2-clause": "BSD-2-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "3-clause bsd": "BSD-3-Clause",
    "new bsd": "BSD-3-Clause",
    "modified bsd": "BSD-3-Clause",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "the mit license": "MIT",
    "python software foundation license": "PSF-2.0",
    "psf": "PSF-2.0",
}
"""What `License` fields say instead of an identifier, in lower case, where it means one licence and no other."""

CLASSIFIERS = {
    "Academic Free License (AFL)": "AFL-3.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": SOME_BSD,
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU General Public License (GPL)": "GPL-1.0-or-later",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "zlib/libpng License": "Zlib",
    "Zope Public License": "ZPL-2.1",
}
"""The last part of `License ::` classifiers (as package indexes list them), except those that say nothing."""

LONGEST_STATEMENT = 120
"""Characters; a `License` field that is longer is the licence's text."""


def expression_of(statement: str) -> str:
    """The SPDX expression that a statement is or plainly means; empty where it is neither."""
    statement = statement.strip()
    if not statement or len(statement) > LONGEST_STATEMENT:
        return ""
    alias = ALIASES.get(statement.lower().removesuffix(" license")) or ALIASES.get(statement.lower())
    return alias or normalised_expression(statement)


def normalised_expression(expression: str) -> str:
    """An SPDX expression with its identifiers as SPDX spells them; empty where it is none."""
    try:
        parsed = licensing().parse(expression, validate=True)
    except (ExpressionError, ExpressionParseError):
        return ""
    return "" if parsed is None else str(parsed)


def licence_of_classifiers(classifiers: Iterable[str]) -> str:
    """The licence, or the licences that hold together, that trove classifiers name; empty where they name none.

    One that is not known here counts as `LicenseRef-` and its name, so that nobody takes the rest for the whole.
    """
    names = [line.split(" :: ")[-1] for line in classifiers if line.startswith("License :: ")]
    known = [CLASSIFIERS.get(name) or _reference(name) for name in names if name != "OSI Approved"]
    return " AND ".join(dict.fromkeys(known))


def _reference(name: str) -> str:
    return "LicenseRef-" + "-".join("".join(c if c.isalnum() else " " for c in name).split())


@cache
def licensing() -> Licensing:
    return get_spdx_licensing()
