"""Prompts that ask models which continue a text to fill a hole: each family's control tokens, in its order.

Sources: SantaCoder arXiv:2301.03988, StarCoder 2 arXiv:2402.19173, Code Llama arXiv:2308.12950, DeepSeek-Coder
arXiv:2401.14196, Qwen2.5-Coder arXiv:2409.12186, CodeGemma arXiv:2406.11409, each model's own card.
"""

from __future__ import annotations

from dataclasses import dataclass

from coder.errors import InputError
from evals.task import Infill, Question


@dataclass(frozen=True)
class MiddleLayout:
    """The texts before the prefix, between prefix and suffix, and behind the suffix."""

    first: str
    second: str
    third: str
    ends: tuple[str, ...] = ()

    def prompt(self, prefix: str, suffix: str) -> str:
        return f"{self.first}{prefix}{self.second}{suffix}{self.third}"


LAYOUTS: dict[str, MiddleLayout] = {
    "starcoder": MiddleLayout("<fim_prefix>", "<fim_suffix>", "<fim_middle>", ends=("<|endoftext|>", "<file_sep>")),
    "santacoder": MiddleLayout("<fim-prefix>", "<fim-suffix>", "<fim-middle>", ends=("<|endoftext|>",)),
    "codellama": MiddleLayout("▁<PRE>", "▁<SUF>", "▁<MID>", ends=("▁<EOT>", "<EOT>")),
    "deepseek": MiddleLayout("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", ends=("<｜end▁of▁sentence｜>",)),
    "qwen": MiddleLayout(
        "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", ends=("<|endoftext|>", "<|fim_pad|>", "<|file_sep|>")
    ),
    "codegemma": MiddleLayout("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", ends=("<|file_separator|>",)),
}

NONE = "none"
"""The name for models that cannot fill: they are given the prefix alone."""


def find_layout(name: str) -> MiddleLayout | None:
    """The layout of a family; None for `none`. Raises InputError."""
    if name == NONE:
        return None
    if name not in LAYOUTS:
        raise InputError(f"there is no layout {name!r}; there are: {NONE}, {', '.join(LAYOUTS)}")
    return LAYOUTS[name]


def prompt_of(question: Question, layout: MiddleLayout | None, label: str) -> str:
    """The text that a model is given to continue. Raises InputError for a question that cannot be put so."""
    if not isinstance(question, Infill):
        raise InputError(f"{label} continues a text; it cannot answer questions of the kind {type(question).__name__}")
    if not question.suffix or layout is None:
        return question.prefix
    return layout.prompt(question.prefix, question.suffix)


def cut_at_end(text: str, ends: tuple[str, ...]) -> str:
    """The text before the first of the tokens that end a middle, where a model writes them out."""
    from evals.benchmarks.benchmark import cut_at

    return cut_at(text, ends)
