"""Only permissive licences, and a file's own word before its package's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.document import Dropped, Kept
from data.licences import expression_of, licence_of_classifiers, recognise_licence
from data.steps.licence import (
    HEAD,
    NOT_STATED,
    OVERRIDDEN,
    PERMISSIVE,
    UNCLEAR,
    UNSTATED,
    Licence,
    is_allowed,
    licence_at_head,
)
from tests.data.backtracking import backtracking_repeats
from tests.data.trees import MIT, code, document

BODY = code("work")
GPL = "This program is free software: you can redistribute it under the terms of the GNU General Public License."


def judged(text: str, license: str = "MIT", **settings) -> str:
    """The licence that it goes on with, or why it does not."""
    verdict = Licence(**settings)(document(text, license=license))
    return verdict.document.license if isinstance(verdict, Kept) else verdict.reason


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("Apache-2.0 AND BSD-3-Clause", True),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only AND MIT", False),
        ("MIT AND (LGPL-2.1-only OR ISC)", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False),
        ("MPL-2.0", False),
        ("LicenseRef-Proprietary", False),
        ("not an expression at all", False),
        ("", False),
    ],
)
def test_an_expression_is_allowed_if_allowed_licences_meet_it(expression: str, allowed: bool):
    assert is_allowed(expression, PERMISSIVE) is allowed


@given(st.lists(st.sampled_from(sorted(PERMISSIVE)), min_size=1, max_size=4))
def test_permissive_licences_together_are_permissive_and_one_other_is_enough_to_spoil_them(names: list[str]):
    together = " AND ".join(names)
    assert is_allowed(together, PERMISSIVE)
    assert not is_allowed(f"{together} AND GPL-3.0-only", PERMISSIVE)
    assert is_allowed(f"GPL-3.0-only OR ({together})", PERMISSIVE)


def test_the_package_s_licence_holds_where_a_file_says_nothing():
    assert judged(BODY, "BSD-3-Clause") == "BSD-3-Clause"
    assert judged(BODY, "GPL-3.0-only") == "licence not permissive: GPL-3.0-only"
    assert judged(BODY, "") == NOT_STATED


@pytest.mark.parametrize(
    ("head", "license"),
    [
        ("# SPDX-License-Identifier: ISC\n", "ISC"),
        ("#!/usr/bin/python\n# By Somebody\n#\n# SPDX-License-Identifier: Apache-2.0 OR MIT\n", "Apache-2.0 OR MIT"),
        ("# SPDX-License-Identifier: GPL-2.0-only\n", "licence not permissive: GPL-2.0-only"),
        ("# SPDX-License-Identifier: whatever we like\n", UNCLEAR),
        ('"""A module.\n\nSPDX-License-Identifier: MIT-0\n"""\n', "MIT-0"),
        (f"# {GPL}\n", "licence not permissive: GPL-2.0-or-later"),
        (f'"""{GPL}"""\n', "licence not permissive: GPL-2.0-or-later"),
        ("".join(f"# {line}\n" for line in MIT.splitlines()), "MIT"),
        ("# Licensed under the Apache License, Version 2.0 (the\n# 'License')\n", "Apache-2.0"),
        ("# Proprietary and confidential.\n", "licence not permissive: LicenseRef-Proprietary"),
    ],
)  # fmt: skip
def test_a_file_s_own_head_counts_first(head: str, license: str):
    assert judged(head + BODY, "BSD-2-Clause") == license


def test_what_a_program_says_further_down_is_no_licence():
    text = f'{BODY}\nNOTICE = """{GPL}"""\n# SPDX-License-Identifier: GPL-3.0-only\n'
    assert licence_at_head(text) is None
    assert judged(text) == "MIT"


def test_the_head_of_other_languages_is_read_too():
    assert licence_at_head("// SPDX-License-Identifier: MIT\npackage main\n") == "MIT"
    assert licence_at_head("/*\n * SPDX-License-Identifier: Zlib\n */\nint main() {}\n") == "Zlib"


def test_an_override_is_noted():
    verdict = Licence()(document("# SPDX-License-Identifier: ISC\n" + BODY, license="MIT"))
    assert isinstance(verdict, Kept)
    assert verdict.notes == (OVERRIDDEN,)


def test_what_nobody_stated_can_be_one_s_own():
    assert judged(BODY, "", allow_unstated=True) == UNSTATED
    assert isinstance(Licence(allow_unstated=True)(document(f"# {GPL}\n{BODY}", license="")), Dropped)


@pytest.mark.parametrize(
    ("statement", "expression"),
    [
        ("MIT", "MIT"),
        ("mit license", "MIT"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("apache-2.0 or mit", "Apache-2.0 OR MIT"),
        ("BSD", "LicenseRef-BSD"),
        ("see the file", ""),
        (MIT, ""),
        ("", ""),
    ],
)
def test_statements_become_expressions(statement: str, expression: str):
    assert expression_of(statement) == expression


def test_classifiers_hold_together():
    lines = ["License :: OSI Approved", "License :: OSI Approved :: MIT License", "Topic :: Software Development"]
    assert licence_of_classifiers(lines) == "MIT"
    assert licence_of_classifiers([*lines, "License :: Free for non-commercial use"]) == (
        "MIT AND LicenseRef-Free-for-non-commercial-use"
    )
    assert licence_of_classifiers([]) == ""


def test_the_first_of_several_texts_is_the_project_s_own():
    assert recognise_licence(f"{MIT}\nBundled:\n{GPL}") == "MIT"
    assert recognise_licence(f"{GPL}\nBundled:\n{MIT}") == "GPL-2.0-or-later"
    assert recognise_licence("Do what is right.") == ""


@given(st.text(max_size=500))
def test_behind_a_licence_any_text_may_follow(text: str):
    assert licence_at_head(f"# SPDX-License-Identifier: MIT\n{text}") == "MIT"
    assert licence_at_head(f"x = 1\n{text}") is None


def test_a_head_is_looked_at_in_linear_time():
    assert backtracking_repeats(HEAD) == []
    for text in ("/*" * 50_000, '"""' + '"' * 50_000, "#" * 100_000, " " * 100_000, "'''" * 30_001):
        assert licence_at_head(text) is None
