"""Licences in SPDX's terms, of what packages declare and of licence texts."""

from __future__ import annotations

import re
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
"""Texts of `License` fields, in lower case, that mean one licence and no other."""

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


NOTHING_BUT_WORDS = re.compile(r"[^a-z0-9.()]+")

PERMISSIVE_GRANT = "permission is hereby granted free of charge to any person obtaining a copy"
BSD_GRANT = "redistribution and use in source and binary forms"

PHRASES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("AGPL-3.0-or-later", ("gnu affero general public license",)),
    ("LGPL-2.1-or-later", ("gnu lesser general public license",)),
    ("LGPL-2.1-or-later", ("gnu library general public license",)),
    ("GPL-2.0-or-later", ("gnu general public license",)),
    ("GPL-2.0-or-later", ("released under the gpl",)),
    ("GPL-2.0-or-later", ("under the terms of the gpl",)),
    ("MPL-2.0", ("mozilla public license",)),
    ("EPL-2.0", ("eclipse public license",)),
    ("CDDL-1.0", ("common development and distribution license",)),
    ("SSPL-1.0", ("server side public license",)),
    ("BUSL-1.1", ("business source license",)),
    ("CC-BY-NC-4.0", ("creative commons attribution noncommercial",)),
    ("CC-BY-SA-4.0", ("creative commons attribution sharealike",)),
    ("LicenseRef-Proprietary", ("proprietary and confidential",)),
    ("LicenseRef-Proprietary", ("confidential and proprietary",)),
    ("Apache-2.0", ("apache license version 2.0",)),
    ("Apache-2.0", ("licensed under the apache license",)),
    ("BSD-3-Clause", (BSD_GRANT, "endorse or promote products")),
    ("BSD-3-Clause", (BSD_GRANT, "endorse or promote")),
    ("BSD-2-Clause", (BSD_GRANT, "reproduce the above copyright notice")),
    ("MIT", (PERMISSIVE_GRANT, "the above copyright notice and this permission notice shall be included")),
    ("MIT-0", (PERMISSIVE_GRANT, "without restriction")),
    ("ISC", ("permission to use copy modify and or distribute this software for any purpose with or without fee is "
             "hereby granted provided that",)),
    ("ISC", ("permission to use copy modify and distribute this software for any purpose with or without fee is "
             "hereby granted provided that",)),
    ("0BSD", ("permission to use copy modify and or distribute this software for any purpose with or without fee is "
              "hereby granted. the software",)),
    ("PSF-2.0", ("python software foundation license",)),
    ("PSF-2.0", ("psf license agreement for python",)),
    ("ZPL-2.1", ("zope public license",)),
    ("Zlib", ("this software is provided as is without any express or implied warranty. in no event will the authors "
              "be held liable",)),
    ("Unlicense", ("this is free and unencumbered software released into the public domain",)),
    ("CC0-1.0", ("cc0 1.0 universal",)),
    ("HPND", ("permission to use copy modify and distribute this software and its documentation for any purpose and "
              "without fee is hereby granted",)),
    ("MIT", ("licensed under the mit license",)),
    ("MIT", ("released under the mit license",)),
    ("BSD-3-Clause", ("licensed under the bsd 3 clause license",)),
    ("BSD-3-Clause", ("licensed under the 3 clause bsd license",)),
    ("LicenseRef-BSD", ("governed by a bsd style license",)),
    ("LicenseRef-BSD", ("licensed under the bsd license",)),
    ("LicenseRef-BSD", ("distributed under the terms of the modified bsd license",)),
)  # fmt: skip
"""Identifiers, and what of each stands in the licence's text or in a notice that refers to it, in `words` form. Of a
family of versions the one that asks for most is named where the phrase does not tell; none of those is permissive."""


def recognise_licence(text: str) -> str:
    """The SPDX identifier of the licence that a text is, or that a notice names; empty where it is none.

    A text with several licences, as those of bundled software are appended to a project's own, is the first of them.
    """
    content = words(text)
    best = (len(content), len(PHRASES), "")
    for rank, (identifier, phrases) in enumerate(PHRASES):
        places = [content.find(phrase) for phrase in phrases]
        if min(places) >= 0:
            best = min(best, (places[0], rank, identifier))
    return best[2]


def words(text: str) -> str:
    """The text's words in lower case, one space between them, whatever its layout, quotes and comment signs."""
    return NOTHING_BUT_WORDS.sub(" ", text.lower())
