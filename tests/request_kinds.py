"""Completion requests of every kind, for tests of engines that may run several at once."""

from __future__ import annotations

from typing import Any

from coder.api.completion import CompletionRequest, Template
from coder.api.wire import nested

TEXT = "def add(first, second):\n    return first + second\n\n\nfor index in range(10):\n    print(index)\n"

MASKED = Template.parse("sum(‹›, key=‹›)", "‹›")

KINDS: list[tuple[int, str, int | None, dict[str, Any]]] = [
    (10, "threshold:0.5", 8, {}),
    (30, "verified", 4, {}),
    (55, "autoregressive", None, {"temperature": 0.8, "seed": 3}),
    (55, "factor", 4, {"temperature": 0.8, "seed": 4, "top_p": 0.9}),
    (56, "lookup", None, {}),
    (56, "lookup", None, {"samples": 2, "seed": 0}),
    (0, "entropy", 4, {}),
    (len(TEXT), "fixed:2", 8, {}),
    (56, "threshold:0.3", 8, {"template": MASKED}),
    (20, "threshold:0.3", 8, {"length": 5}),
    (56, "threshold:0.3", 8, {"syntax_rounds": 3, "path": "a.py"}),
]
"""Where the hole is, the policy, the canvas size, other fields."""


def requests_of_every_kind(max_tokens: int) -> list[CompletionRequest]:
    """Return a request for each kind; the hole takes three characters out of the text."""
    return [
        nested(
            CompletionRequest,
            {
                "prefix": TEXT[:cut],
                "suffix": TEXT[cut + 3 :],
                "policy": policy,
                "canvas_size": size,
                "max_tokens": max_tokens,
                **more,
            },
        )
        for cut, policy, size, more in KINDS
    ]
