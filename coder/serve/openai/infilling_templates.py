"""Prompts in which a client has written out another model's template for filling a hole.

Many clients know no `suffix`: they put prefix and suffix between the control tokens of the model that they believe to
talk to. Here these are only text, so the template is taken apart again.
"""

from __future__ import annotations

from typing import NamedTuple


class Markers(NamedTuple):
    """Marks before the prefix, before the suffix, and at the place where the model is to write."""

    prefix: str
    suffix: str
    middle: str


TEMPLATES = (
    Markers("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),  # Qwen, CodeGemma
    Markers("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),  # StarCoder, StableCode
    Markers("<fim-prefix>", "<fim-suffix>", "<fim-middle>"),  # SantaCoder
    Markers("<|code_prefix|>", "<|code_suffix|>", "<|code_middle|>"),  # GLM
    Markers("<\uff5cfim\u2581begin\uff5c>", "<\uff5cfim\u2581hole\uff5c>", "<\uff5cfim\u2581end\uff5c>"),  # DeepSeek
    Markers("<PRE> ", " <SUF>", " <MID>"),  # Code Llama
    Markers("[PREFIX]", "[SUFFIX]", "[MIDDLE]"),  # Codestral
)

NO_TEXT = "<|endoftext|>"
"""The text that some clients send as a suffix where there is none."""


def parts(prompt: str, suffix: str) -> tuple[str, str]:
    """The prefix and the suffix that a client means. What a template has before its first marker, text of other files,
    is left out."""
    if suffix.strip() in ("", NO_TEXT):
        for markers in TEMPLATES:
            if (found := taken_apart(prompt, markers)) is not None:
                return found
    return prompt, "" if suffix == NO_TEXT else suffix


def taken_apart(prompt: str, markers: Markers) -> tuple[str, str] | None:
    """Prefix and suffix of a prompt in one template, in either order; None where it is not in it."""
    start = prompt.find(markers.prefix)
    if start == -1 or markers.suffix not in prompt:
        return None
    written = prompt.rstrip()
    ends_in_middle = written.endswith(markers.middle.strip())
    before, found, behind = prompt[start + len(markers.prefix) :].rpartition(markers.suffix)
    if found and ends_in_middle:
        return before, behind.rstrip().removesuffix(markers.middle.strip()).removesuffix(_blank(markers.middle))
    head, found, prefix = prompt.rpartition(markers.prefix)
    _, has_suffix, suffix = head.partition(markers.suffix)
    if found and has_suffix and not ends_in_middle:
        return prefix, suffix
    return None


def _blank(marker: str) -> str:
    """The blank that belongs to a marker."""
    return marker[: len(marker) - len(marker.lstrip())]
