"""What a file imports, in several languages, and which files that may be."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.syntax.imports import READERS, Import, imports
from lsp.suggest.snippets.module_files import is_module, module_paths


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("python", "from shop.cart import Cart, total as sum_of\n", [Import("shop.cart", ("Cart", "total"))]),
        ("python", "from . import (\n    a,  # first\n    b,\n)\n", [Import(".", ("a", "b"))]),
        ("python", "from .. import db\ndb.open()\n", [Import("..", ("db",)), Import("..db", ("open",))]),
        ("python", "import shop.cart as cart, os\ncart.add(1)\n", [Import("shop.cart", ("add",))]),
        ("python", "import shop.cart\nshop.cart.add(1)\n", [Import("shop.cart", ("add",))]),
        ("python", "from shop import *\n", [Import("shop")]),
        ("typescript", "import { a, type B as C } from './x'\n", [Import("./x", ("a", "B"))]),
        ("typescript", "import type { A } from '../a.js';\n", [Import("../a.js", ("A",))]),
        ("javascript", 'import Cart, { total } from "./cart"\n', [Import("./cart", ("total", "Cart"))]),
        ("javascript", "import * as cart from './cart'\ncart.add()\n", [Import("./cart", ("add",))]),
        ("javascript", "const { a } = require('./a')\n", [Import("./a", ("a",))]),
        ("javascript", "const cart = require('./cart')\ncart.add()\n", [Import("./cart", ("add", "cart"))]),
        ("go", 'import "me/shop/cart"\n\nvar c = cart.New()\n', [Import("me/shop/cart", ("New",))]),
        ("go", 'import (\n\t"fmt"\n\tc "me/cart"\n)\nc.New()\n', [Import("me/cart", ("New",))]),
        ("rust", "use crate::shop::{Cart, Total};\n", [Import("crate::shop", ("Cart", "Total"))]),
        ("rust", "pub use shop::Cart as C;\n", [Import("shop", ("Cart",))]),
        (
            "java",
            "import shop.Cart;\nimport static shop.Money.of;\n",
            [Import("shop.Cart", ("Cart",)), Import("shop.Money", ("Money",))],
        ),
        ("c", '#include <stdio.h>\n#include "shop/cart.h"\n', [Import("shop/cart.h")]),
        ("plaintext", "import this\n", []),
    ],
)
def test_imports(language: str, text: str, expected: list[Import]):
    assert imports(text, language) == expected


@pytest.mark.parametrize(
    ("language", "module", "file"),
    [
        ("python", "shop.cart", "/ws/src/shop/cart.py"),
        ("python", "shop", "/ws/shop/__init__.py"),
        ("python", ".cart", "/ws/app/cart.py"),
        ("python", "..shop.cart", "/ws/shop/cart.py"),
        ("typescript", "./cart", "/ws/app/cart.tsx"),
        ("typescript", "./cart.js", "/ws/app/cart.ts"),
        ("typescript", "../shop", "/ws/shop/index.ts"),
        ("typescript", "@/shop/cart", "/ws/src/shop/cart.ts"),
        ("go", "example.com/me/shop", "/ws/shop/cart.go"),
        ("rust", "crate::shop::cart", "/ws/src/shop/cart.rs"),
        ("rust", "crate::shop", "/ws/src/shop/mod.rs"),
        ("java", "shop.Cart", "/ws/src/main/java/shop/Cart.java"),
        ("c", "cart.h", "/ws/app/cart.h"),
        ("cpp", "shop/cart.h", "/ws/include/shop/cart.h"),
    ],
)
def test_module_files(language: str, module: str, file: str):
    candidates = module_paths(module, language, Path("/ws/app/main"))
    assert any(is_module(Path(file), candidate, language) for candidate in candidates)


@pytest.mark.parametrize(
    ("language", "module", "file"),
    [
        ("python", ".cart", "/ws/shop/cart.py"),
        ("typescript", "./cart", "/ws/shop/cart.ts"),
        ("typescript", "react", "/ws/app/react.ts"),
        ("go", "me/shop", "/ws/shop/cart_test.go"),
    ],
)
def test_other_files(language: str, module: str, file: str):
    candidates = module_paths(module, language, Path("/ws/app/main"))
    assert not any(is_module(Path(file), candidate, language) for candidate in candidates)


@given(
    st.sampled_from(sorted(READERS)),
    st.lists(
        st.sampled_from(
            [
                "import ",
                "from ",
                "use ",
                "#include ",
                '"',
                "'",
                "./",
                "../",
                ".",
                "a",
                "b",
                "::",
                "{",
                "}",
                ";",
                "\n",
                "(",
                ")",
                "*",
                ",",
                " as ",
                "\0",
                "@/",
                "/",
            ]
        ),
        max_size=30,
    ).map("".join),
)
def test_any_text_has_imports_or_none(language: str, text: str):
    for imported in imports(text, language):
        for candidate in module_paths(imported.module, language, Path("/a.x")):
            assert is_module(Path("/elsewhere/file.y"), candidate, language) in (True, False)
