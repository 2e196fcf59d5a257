"""What a denoising run is asked for, in token ids."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from coder.diffusion.constraints import Constraint
from coder.diffusion.events import Committed, FinishReason, Step
from coder.errors import InputError
from coder.model.runtime import Cache, TokenBias

if TYPE_CHECKING:
    from coder.diffusion.run import Run


class DecodingAlgorithm(Protocol):
    """How tokens are produced once the context is in the cache. `str()` of it describes it in the statistics."""

    def decode(self, run: Run) -> Generator[Step | Committed, None, FinishReason]:
        """Produce tokens with the passes of `run` until the end token or the limit, and say which it was."""
        ...


class Guide(Protocol):
    """Knows something that the model does not, and leans its predictions that way."""

    def bias(self, settled: Sequence[int], canvas: npt.NDArray[np.int64], slots: npt.NDArray[np.int64]) -> TokenBias:
        """What to add to the logits of `slots`, before the model is asked.

        Args:
            settled: the context and the output so far; its last token is the anchor.
            canvas: int64 [B], the tokens behind it: fixed or masked slots, or a draft that is being verified.
            slots: int64 [W], ascending, the canvas's slots to be predicted; B itself where a draft's next token is.

        Returns: rows that index `slots`.
        """
        ...


class Drafter(Protocol):
    """Knows text that the output may go on with."""

    def draft(self, settled: Sequence[int], size: int) -> list[int]:
        """Up to `size` tokens that may follow `settled`, none of them a control token; they are verified."""
        ...


@dataclass(frozen=True)
class DenoiseRequest:
    """What to denoise, and how.

    Attributes:
        context: the whole prompt; its last token is the first anchor.
        cache: keys and values of an earlier run, or empty. What it shares with the context is reused, the rest is
            forgotten; afterwards it holds the context and a beginning of the output.
        algorithm: how to decode.
        end_token: ends the output and is not part of it. also_end: others that do.
        suffix: what stands behind the output, for a model that sees it.
        max_tokens: most tokens to produce.
        control_tokens: control tokens that may be produced besides the end token.
        temperature, top_p, seed: see `selection.select_tokens`; without a seed every run draws anew.
        deadline: when to stop, on the clock of `time.monotonic`, seconds.
        cancelled: asked before every pass whether to stop.
        fixed: tokens given in advance, by their position in the output. The end cannot come before the last of them.
        guides: their biases are added up.
        constraints: what the output must not be; it obeys all of them.
        drafters: asked in order for drafts by the algorithm that copies them, where the context has none.
        prefill_chunk: most context tokens computed in one pass, thus between two looks at deadline and `cancelled`.

    Raises:
        InputError: a setting out of its range.
    """

    context: Sequence[int]
    cache: Cache
    algorithm: DecodingAlgorithm
    end_token: int
    max_tokens: int = 256
    also_end: tuple[int, ...] = ()
    suffix: Sequence[int] = ()
    control_tokens: tuple[int, ...] = ()
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    deadline: float = float("inf")
    cancelled: Callable[[], bool] = lambda: False
    fixed: Mapping[int, int] = field(default_factory=dict)
    guides: Sequence[Guide] = ()
    constraints: Sequence[Constraint] = ()
    drafters: Sequence[Drafter] = ()
    prefill_chunk: int = 128

    @property
    def ends(self) -> tuple[int, ...]:
        """Every token that ends the output."""
        return (self.end_token, *self.also_end)

    def __post_init__(self) -> None:
        if not self.context:
            raise ValueError("the context needs at least one token, the anchor")
        if self.prefill_chunk < 1:
            raise ValueError(f"prefill_chunk must be at least 1, not {self.prefill_chunk}")
        if self.max_tokens < 1:
            raise InputError(f"max_tokens must be at least 1, not {self.max_tokens}")
        if not 0.0 <= self.temperature < float("inf"):
            raise InputError(f"temperature must be 0 (greedy) or a positive number, not {self.temperature:g}")
        if not 0.0 < self.top_p <= 1.0:
            raise InputError(f"top_p must be above 0 and at most 1, not {self.top_p:g}")
        if not all(0 <= position < self.max_tokens for position in self.fixed):
            raise InputError(f"fixed slots must lie within the {self.max_tokens} tokens to produce (max_tokens)")
