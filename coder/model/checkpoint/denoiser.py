"""What tells a published diffusion language model from this project's own: what its tokens see, how it is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Layout = Literal["infill", "chat"]
ApproximateCache = Literal["none", "prefix", "dual"]


@dataclass(frozen=True)
class AttentionPattern:
    """Blocks of tokens, counted from the sequence's start: a token sees its own block and all blocks before it.

    Blocks of one token are ordinary causal attention, blocks of several the pattern of Block Diffusion
    (arXiv:2503.09573); with a single block everything sees everything, as in LLaDA (arXiv:2502.09992).

    Attributes:
        block_size: tokens of a block; None is a single one.
    """

    block_size: int | None = 1

    @property
    def is_causal(self) -> bool:
        """Whether a token sees none behind it, so that the model can write one token after another."""
        return self.block_size == 1

    @property
    def is_full(self) -> bool:
        return self.block_size is None

    def border(self, position: int, length: int) -> int:
        """The first position that the token at `position` of a sequence of `length` tokens does not see."""
        if self.block_size is None:
            return length
        return min((position // self.block_size + 1) * self.block_size, length)

    def cacheable(self, length: int) -> int:
        """How many of the first `length` tokens have keys and values that nothing behind them can change."""
        return 0 if self.block_size is None else length // self.block_size * self.block_size

    def chunk(self, length: int) -> int:
        """The nearest number of tokens to `length` that can be cached together, at least a block."""
        return max(self.cacheable(length), self.block_size or 0)

    def __str__(self) -> str:
        if self.block_size is None:
            return "full"
        return "causal" if self.is_causal else f"block-causal, {self.block_size} tokens"


TOKEN_CAUSAL = AttentionPattern(1)


@dataclass(frozen=True)
class Denoiser:
    """How a published diffusion model is decoded.

    Attributes:
        family: its name, see `coder.model.families`.
        policy: what `auto` stands for, as `coder.diffusion.block_diffusion.parse_algorithm` reads it.
        ends: the tokens that end an answer.
        window: slots of a canvas that are finished before any right of them is begun; None: the whole canvas at once.
        expand: the token that stands for two masked slots, for a model that changes the canvas's length.
        lengths: canvas sizes that are tried together where the model cannot find a hole's length.
        layout: what is around the canvas: the text alone, or a chat in which it is asked for.
        cache: which keys and values of a block's first pass are taken for those of its later ones (Fast-dLLM,
            arXiv:2505.22618): none, those before the block, or those on both sides. What is written changes with it.
        guidance: scale of classifier-free guidance (LLaDA, arXiv:2502.09992, appendix A.2); 0 is none.
    """

    family: str
    policy: str
    ends: tuple[int, ...]
    window: int | None = None
    expand: int | None = None
    lengths: tuple[int, ...] = (8, 16, 32, 64)
    layout: Layout = "infill"
    cache: ApproximateCache = "none"
    guidance: float = 0.0
