"""Which licence a text is, by phrases that stand in it and in no other."""

from __future__ import annotations

import re

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
