"""Decoding of published diffusion models: on a whole canvas with text on both sides, or block by block.

A model of full attention sees everything in every pass, and nothing can be cached exactly; one of block-causal
attention is decoded like this project's own, block after block. Both fix slots in any order, and let ends stand
anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from coder.diffusion import policies
from coder.diffusion.block_diffusion import DecodingEvents
from coder.diffusion.canvas import IntArray, OpenCanvas, SlotRange
from coder.diffusion.events import Step
from coder.diffusion.run import Run
from coder.diffusion.unmasking import Candidates, UnmaskingPolicy, parse_policy
from coder.errors import InputError
from coder.model.checkpoint.config import ModelConfig
from coder.model.runtime import Predictions

FIRST_CANVAS = 4
"""Slots that a canvas begins with whose model expands it, as in DreamOn's own example."""


@dataclass(frozen=True)
class WholeCanvas:
    """One canvas for the whole answer, denoised window after window (LLaDA, arXiv:2502.09992: semi-autoregressive).

    With nothing behind it, the canvas has all slots that may be written, and the model ends the answer inside. In a
    hole the canvas's size is the answer's length: several are tried together, the most confident is kept.

    Attributes:
        window: slots of a window; None is all of them.
        lengths: sizes to try in a hole.
        cache: `prefix` or `dual`: which keys and values of a window's first pass serve its later ones too.
    """

    policy: UnmaskingPolicy
    window: int | None = None
    lengths: tuple[int, ...] = ()
    cache: str = "none"

    def decode(self, run: Run) -> DecodingEvents:
        canvases = [run.open_canvas(size) for size in self._sizes(run)]
        if len(canvases) == 1:
            run.unfinished = canvases[0]
            yield from denoise(run, canvases[0], self.policy, self.window, self.cache)
            best = canvases[0]
        else:
            best = yield from self._most_confident(run, canvases)
        yield run.accept(*_answer(run, best))
        return "end" if run.request.suffix or best.ended else "length"

    def _sizes(self, run: Run) -> list[int]:
        ends = [position for position, token in run.request.fixed.items() if token in run.request.ends]
        if ends:
            return [max(1, min(ends))]
        if not run.request.suffix or not self.lengths:
            return [run.remaining]
        return [size for size in self.lengths if size < run.remaining] or [run.remaining]

    def _most_confident(self, run: Run, canvases: list[OpenCanvas]) -> Iterator[Step]:
        """Denoise all canvases, a step of each in every batch, and show the most confident one so far."""
        under_way = [WindowedCanvas(canvas, self.policy, self.window) for canvas in canvases]
        while going := [progress for progress in under_way if not progress.is_done]:
            answers = run.predict_canvases([(progress.canvas, progress.slots()) for progress in going])
            for progress, predictions in zip(going, answers, strict=True):
                progress.fix(run, predictions)
            run.unfinished = max(canvases, key=lambda canvas: canvas.mean_log_confidence)
            yield shown(run.unfinished)
        return max(canvases, key=lambda canvas: canvas.mean_log_confidence)

    def __str__(self) -> str:
        window = "" if self.window is None else f", windows of {self.window}"
        cache = "" if self.cache == "none" else f", {self.cache} cache"
        return f"{self.policy}, whole canvas{window}{cache}"


@dataclass(frozen=True)
class CausalBlocks:
    """A canvas for what is left of each block, which then joins the cache (Block Diffusion, arXiv:2503.09573).

    Where the output at a position predicts the next token, the first token of a block comes from the pass that brings
    the block before into the cache (Fast-dLLM v2, arXiv:2509.26328).

    Attributes:
        window: slots of a part of the block that is finished before the next one; None is all of them.
    """

    policy: UnmaskingPolicy
    window: int | None = None

    def decode(self, run: Run) -> DecodingEvents:
        while run.remaining:
            if (canvas := following_canvas(run)) is None:
                tokens, confidences = run.select_tokens(run.predict_next())
                if tokens[0] in run.request.ends:
                    return "end"
                yield run.accept(tokens.tolist(), confidences.tolist())
                continue
            run.unfinished = canvas
            begun = len(run.sequence) % (run.config.attention.block_size or 1)
            yield from denoise(run, canvas, self.policy, self.window, begun=begun)
            yield run.accept(*canvas.leading_text())
            if canvas.ended:
                return "end"
        return "length"

    def __str__(self) -> str:
        return f"{self.policy}, block by block" + (f", windows of {self.window}" if self.window else "")


@dataclass(frozen=True)
class ExpandingCanvas:
    """A canvas that the model makes as long as the answer: a slot that gets the expand token becomes two, one that gets
    the end goes away with all masked ones behind it (DreamOn, arXiv:2602.01326)."""

    policy: UnmaskingPolicy
    expand: int
    size: int = FIRST_CANVAS

    def decode(self, run: Run) -> DecodingEvents:
        most = expansions = run.remaining
        canvas = run.unfinished = run.open_canvas(min(self.size, most))
        ends = np.array(run.request.ends)
        while len(masked := canvas.masked):
            may_expand = expansions > 0 and len(canvas.tokens) < most
            predictions = run.predict_canvas(canvas, masked, extra=(self.expand,) if may_expand else ())
            slots, _ = fix_some(run, canvas, self.policy, masked, predictions, 0, len(masked))
            ended = slots[np.isin(canvas.tokens[slots], ends)]
            if len(ended):
                behind = canvas.masked
                canvas.delete(np.union1d(ended, behind[behind > ended[0]]))
            for slot in slots[canvas.tokens[slots] == self.expand][::-1].tolist() if not len(ended) else []:
                canvas.expand(slot)
                expansions -= 1
            yield shown(canvas)
        yield run.accept(*_answer(run, canvas))
        return "end"

    def __str__(self) -> str:
        return f"{self.policy}, expanding canvas"


Published = WholeCanvas | CausalBlocks | ExpandingCanvas


class WindowedCanvas:
    """A canvas that is denoised window after window.

    Windows are counted from the start of a block, of which `begun` tokens may be settled text already, so the first
    window of the canvas can be smaller than the others.
    """

    def __init__(self, canvas: OpenCanvas, policy: UnmaskingPolicy, window: int | None, begun: int = 0) -> None:
        self.canvas = canvas
        self._policy = policy
        self._width = len(canvas.tokens) + begun if window is None else window
        self._begun = begun
        self._step = self._masked_at_start = 0
        self._start = self._end = 0

    @property
    def is_done(self) -> bool:
        return self.canvas.is_done

    @property
    def is_fresh(self) -> bool:
        """True until a pass was made for the window. Ask it after `slots`."""
        return self._step == 0

    @property
    def window(self) -> SlotRange:
        """The window that the slots of the last `slots()` are in."""
        return SlotRange(self._start, self._end)

    def slots(self) -> IntArray:
        """Return the masked slots of the current window, and move to the next one where it has none left."""
        masked = self.canvas.masked
        # All windows to the left are done, so what is masked before the current window's end lies in it. Policies
        # count steps and slots by window: both start anew with it.
        if not np.any(masked < self._end):
            start = (int(masked[0]) + self._begun) // self._width * self._width - self._begun
            self._start, self._end = max(0, start), min(start + self._width, len(self.canvas.tokens))
            self._step, self._masked_at_start = 0, int(np.count_nonzero(masked < self._end))
        return masked[masked < self._end]

    def fix(self, run: Run, predictions: Predictions) -> Step:
        """Fix the slots that the policy chooses among the predicted ones."""
        slots = self.canvas.masked
        slots = slots[slots < self._end]
        step, self._step = self._step, self._step + 1
        chosen, confidences = fix_some(run, self.canvas, self._policy, slots, predictions, step, self._masked_at_start)
        return Step(tuple(self.canvas.tokens.tolist()), tuple(chosen.tolist()), tuple(confidences))


def following_canvas(run: Run) -> OpenCanvas | None:
    """Return the canvas for what is left: of the answer, or of the block that the sequence ends in.

    None where a block begins and outputs predict the next token: the first one of the block comes from a context pass.
    """
    block = run.config.attention.block_size
    if block is None:
        return run.open_canvas(run.remaining)
    begun = len(run.sequence) % block
    return None if not begun and run.config.shift else run.open_canvas(block - begun)


def denoise(
    run: Run, canvas: OpenCanvas, policy: UnmaskingPolicy, window: int | None, cache: str = "none", begun: int = 0
) -> Iterator[Step]:
    """Fix slots until the answer is settled. With a cache, a window's first pass alone is over everything."""
    progress = WindowedCanvas(canvas, policy, window, begun)
    while not progress.is_done:
        slots = progress.slots()
        part = None
        if cache != "none" and not progress.is_fresh:
            part = progress.window if cache == "dual" else SlotRange(progress.window.start)
        yield progress.fix(run, run.predict_canvas(canvas, slots, part))


def fix_some(
    run: Run,
    canvas: OpenCanvas,
    policy: UnmaskingPolicy,
    slots: IntArray,
    predictions: Predictions,
    step: int,
    masked_at_start: int,
) -> tuple[IntArray, list[float]]:
    """Give the predicted slots that the policy chooses their tokens. Returns these slots and their confidences."""
    tokens, confidences = run.select_tokens(predictions)
    best = predictions.probabilities
    candidates = Candidates(
        confidences, predictions.entropy, step, len(slots), masked_at_start, margin=best[:, 0] - best[:, 1]
    )
    chosen = np.flatnonzero(policy.select(candidates))
    chosen = chosen[run.compatible(canvas, slots[chosen], tokens[chosen], confidences[chosen])]
    canvas.fix(slots[chosen], tokens[chosen], confidences[chosen])
    return slots[chosen], confidences[chosen].tolist()


def shown(canvas: OpenCanvas) -> Step:
    """Return a step that shows the whole canvas: any of its slots may have changed."""
    mask = canvas.masked
    fixed = np.setdiff1d(np.arange(len(canvas.tokens)), mask)
    return Step(tuple(canvas.tokens.tolist()), tuple(fixed.tolist()), tuple(canvas.confidences[fixed].tolist()))


def parse_published(
    text: str, config: ModelConfig, canvas_size: int | None
) -> WholeCanvas | CausalBlocks | ExpandingCanvas:
    """Return the decoding of a published model by an unmasking policy, or by the family's own for `auto`.

    Args:
        canvas_size: slots of a window, instead of the model's own.

    Raises:
        InputError: no such policy, or a window that does not fit the model's blocks.
    """
    denoiser = config.denoiser
    assert denoiser is not None
    named = policies.policy_of(text)
    if not named.unmasking and named != policies.AUTO:
        raise InputError(
            f"{denoiser.family} models do not predict one token after another, so they cannot decode with {text}; "
            f"choose auto ({denoiser.policy}) or a canvas policy such as threshold"
        )
    policy = parse_policy(denoiser.policy if named == policies.AUTO else text)
    window = canvas_size or denoiser.window
    if denoiser.expand is not None:
        return ExpandingCanvas(policy, denoiser.expand)
    if config.attention.is_full:
        return WholeCanvas(policy, window, denoiser.lengths, denoiser.cache)
    if window is not None and (config.attention.block_size or 1) % window:
        raise InputError(f"blocks of {config.attention.block_size} tokens cannot be cut into windows of {window}")
    return CausalBlocks(policy, window)


def _answer(run: Run, canvas: OpenCanvas) -> tuple[list[int], list[float]]:
    """Return the canvas's text without the ends that may stand in it, and its confidences."""
    tokens, confidences = canvas.leading_text()
    kept = [index for index, token in enumerate(tokens) if token not in run.request.ends]
    return [tokens[index] for index in kept], [confidences[index] for index in kept]
