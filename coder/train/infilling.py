"""How a checkpoint in training fills held-out holes: through the engine, as a user asks, so that everything counts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from coder.errors import InputError
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.config import ModelConfig
from coder.model.torch.decoder import Decoder

if TYPE_CHECKING:
    from coder.engine.engine import Engine


@dataclass(frozen=True)
class Method:
    """A way to decode: a policy as the engine takes it, and a canvas size or None for its default."""

    policy: str
    canvas_size: int | None = None

    @property
    def name(self) -> str:
        return self.policy.partition(":")[0]


METHODS = (Method("autoregressive"), Method("threshold:0.9", 8))
"""Both ways of decoding."""


@dataclass(frozen=True)
class Hole:
    """A held-out hole and what stood in it."""

    prefix: str
    middle: str
    suffix: str


@dataclass(frozen=True)
class Answer:
    """What was written into a hole.

    Attributes:
        tokens: the end token counted.
        canvas_passes, commit_passes: after the prefill.
        ended: whether it ended by itself.
    """

    hole: Hole
    method: Method
    text: str
    tokens: int
    canvas_passes: int
    commit_passes: int
    ended: bool

    @property
    def exact(self) -> bool:
        """Whether it is what stood there, and ends there; spaces at its end aside."""
        return self.ended and self.text.rstrip() == self.hole.middle.rstrip()

    @property
    def first_line(self) -> bool:
        """Whether at least its first line is right."""
        return self.text.split("\n")[0].rstrip() == self.hole.middle.split("\n")[0].rstrip()


def read_holes(file: Path, count: int | None = None) -> list[Hole]:
    """The first `count` holes of a file of JSON lines with `prefix`, `middle` and `suffix`. Raises InputError."""
    try:
        lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        parsed = [json.loads(line) for line in lines[:count]]
        return [Hole(hole["prefix"], hole["middle"], hole.get("suffix", "")) for hole in parsed]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{file} should hold a hole a line, as JSON with prefix, middle, suffix ({error!r})"
        ) from error


def fill_holes(decoder: Decoder, checkpoint: Checkpoint, holes: Sequence[Hole], max_tokens: int) -> list[Answer]:
    """Fill every hole in both ways of decoding, with a copy of a decoder that may be in training.

    Raises ImportError where what the engine needs is not installed.
    """
    from coder.engine.engine import Engine
    from coder.model.torch.runtime import TorchRuntime

    engine = Engine(TorchRuntime(_inference_copy(decoder, checkpoint.config)), checkpoint, "in training")
    try:
        return fill_with(engine, holes, max_tokens, METHODS)
    finally:
        engine.close()


def fill_with(engine: Engine, holes: Sequence[Hole], max_tokens: int, methods: Sequence[Method]) -> list[Answer]:
    """Fill every hole by every method."""
    from coder.api.completion import CompletionRequest

    answers = []
    for method in methods:
        requests = [
            CompletionRequest(
                hole.prefix,
                hole.suffix,
                policy=method.policy,
                canvas_size=method.canvas_size,
                max_tokens=max_tokens,
                replace_brackets=False,
            )
            for hole in holes
        ]
        for hole, done in zip(holes, engine.complete_many(requests), strict=True):
            spent = done.statistics
            ended = done.finish_reason == "end"
            # The end token costs a pass like any other.
            tokens = spent.tokens + ended
            answers.append(Answer(hole, method, done.text, tokens, spent.canvas_passes, spent.commit_passes, ended))
    return answers


def figures_of(answers: Sequence[Answer]) -> dict[str, float]:
    """By the name of the method: the shares of `exact` answers and right `first_line`s, and tokens a pass."""
    figures = {}
    for method in dict.fromkeys(answer.method for answer in answers):
        own = [answer for answer in answers if answer.method == method]
        passes = sum(answer.canvas_passes + answer.commit_passes for answer in own)
        figures |= {
            f"{method.name}_exact": sum(answer.exact for answer in own) / len(own),
            f"{method.name}_first_line": sum(answer.first_line for answer in own) / len(own),
            f"{method.name}_tokens_per_pass": sum(answer.tokens for answer in own) / max(1, passes),
        }
    return figures


def samples_page(answers: Sequence[Answer], title: str, most: int = 24, around: int = 160) -> str:
    """Answers to be read by people, in Markdown: the text before the hole, what was written and what stood there."""
    parts = [f"# {title}"]
    for hole in list(dict.fromkeys(answer.hole for answer in answers))[:most]:
        parts.append(f"```\n{hole.prefix[-around:]}‸{hole.suffix[:around]}\n```")
        parts.append(f"stood there: `{hole.middle!r}`")
        parts += [
            f"* {answer.method.policy} {'=' if answer.exact else '≠'} `{answer.text!r}`"
            for answer in answers
            if answer.hole == hole
        ]
    return "\n\n".join(parts) + "\n"


def _inference_copy(decoder: Decoder, config: ModelConfig) -> Decoder:
    """A plain decoder with the same weights: no trained rows apart, nothing compiled, no gradient."""
    weight = decoder.embedding.weight
    dtype = torch.bfloat16 if weight.is_cuda and torch.cuda.is_bf16_supported() else weight.dtype
    with torch.device("meta"):
        plain = Decoder(config).to(dtype)
    plain.to_empty(device=weight.device)
    with torch.no_grad():
        for name, tensor in decoder.checkpoint_tensors().items():
            plain.checkpoint_tensors()[name].copy_(tensor)
    return plain
