"""The decoding of a published diffusion language model, which differs from that of this project's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Layout = Literal["infill", "chat"]
ApproximateCache = Literal["none", "prefix", "dual"]


@dataclass(frozen=True)
class Denoiser:
    """The way a published diffusion model is decoded.

    Attributes:
        family: its name, see `coder.model.families`.
        policy: the one that `auto` stands for, as `coder.diffusion.block_diffusion.parse_algorithm` reads it.
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
