"""A row as the model is trained on it: the clean stream, and behind it the noisy canvases, with what each is to say.

One sequence holds both (Block Diffusion, arXiv:2503.09573, section 3; design: training). Everything here depends on
the row and on a seed alone, so a batch is the same whoever prepares it and whenever.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from coder.diffusion.schedules import Schedule
from coder.model.checkpoint.config import ControlTokens
from coder.train.canvases import Canvases, Segment, cut_canvases, segments
from coder.train.masking import Generator, Masking
from coder.train.noising import WrongTokens, add_complementary_noise, add_noise, draw_noise_levels
from coder.train.packed_rows import NO_DOCUMENT, Role, Row

if TYPE_CHECKING:  # needs tree-sitter, which training does without
    from coder.train.syntax_nodes import NodeFinder

CLEAN = -1
"""The canvas number of a clean token."""

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Noising:
    """How canvases are cut and noised; see `coder.train.settings.ObjectiveSettings`.

    Attributes:
        line_breaks: bool [vocabulary], which tokens hold a line break.
        wrong_tokens: None leaves visible tokens right.
        nodes: finds the syntax nodes in canvases, for a masking rule that goes by them.
    """

    control: ControlTokens
    schedule: Schedule
    masking: Masking
    line_breaks: npt.NDArray[np.bool_]
    wrong_tokens: WrongTokens | None = None
    fully_masked: float = 0.15
    middles_only: bool = True
    complementary: bool = False
    draws: int = 1
    nodes: NodeFinder | None = None


@dataclass(frozen=True)
class Targets:
    """K predictions that are learned from.

    Attributes:
        places: int64 [K], the position in the sequence whose output it is.
        tokens: int64 [K], the right one.
        weights: float32 [K], of its loss: w(t) and what the slot counts; 1 for a next token.
        counts: float32 [K], what the slot counts alone: less than 1 behind the end of a middle.
        levels: float32 [K], the canvas's noise level t; 0 for a next token, -1 for a wrong visible slot.
        sizes: int64 [K], slots of its canvas; 0 for a next token.
    """

    places: IntArray
    tokens: IntArray
    weights: FloatArray
    counts: FloatArray
    levels: FloatArray
    sizes: IntArray


@dataclass(frozen=True)
class NoisyRow:
    """A sequence of M tokens, clean ones first.

    Attributes:
        tokens, positions: int64 [M]; positions start anew with each document, and a canvas has those of its slots.
        documents: int64 [M]. canvases: int64 [M], `CLEAN`, or a number that each noisy token shares with its canvas.
        reach: int64 [M], the last clean place that a token sees in its document: its own, or that before its anchor.
        targets: what is learned.
        slots: how many slots the denoising loss is a mean of, each as it counts; 0 without a canvas.
    """

    tokens: IntArray
    positions: IntArray
    documents: IntArray
    canvases: IntArray
    reach: IntArray
    targets: Targets
    slots: float


def noisy_row(row: Row, size: int, noisy_length: int, noising: Noising, generator: Generator) -> NoisyRow:
    """Cut a row into canvases of `size` slots, draw as many as fit into `noisy_length` tokens, and add noise.

    Where they do not all fit some are left out at random; where there is room each is drawn up to `draws` times.
    """
    found = list(segments(row, noising.control, noising.middles_only))
    every = cut_canvases(row, found, size, noising.control)
    chosen = _choose(len(every), noisy_length // (size + 1), noising.draws, noising.complementary, generator)
    noisy = _noisy(every.take(chosen), row, noising, generator)
    canvases, shape = noisy.canvases, noisy.inputs.shape
    positions = _positions(row.documents)
    spare = noisy_length - noisy.inputs.size
    return NoisyRow(
        tokens=_sequence(row.tokens, noisy.inputs, np.zeros(spare)),
        positions=_sequence(positions, positions[canvases.anchors][:, None] + np.arange(shape[1]), np.zeros(spare)),
        documents=_sequence(
            row.documents, _spread(row.documents[canvases.anchors], shape), np.full(spare, NO_DOCUMENT)
        ),
        # Every padding token is a canvas of its own: it sees itself alone, which costs a sparse attention nothing.
        canvases=_sequence(
            np.full(len(row.tokens), CLEAN), _spread(np.arange(len(canvases)), shape), len(canvases) + np.arange(spare)
        ),
        reach=_sequence(np.arange(len(row.tokens)), _spread(canvases.anchors - 1, shape), np.full(spare, -1)),
        targets=_join(_next_tokens(row, found, noising.middles_only), _denoised(noisy, len(row.tokens))),
        slots=float(canvases.counts.sum()),
    )


@dataclass(frozen=True)
class _Noisy:
    """Canvases with noise: inputs int64 and weights float64 [N, B + 1], levels float64 [N]; see `NoisyBlocks`."""

    canvases: Canvases
    inputs: IntArray
    masked: npt.NDArray[np.bool_]
    weights: npt.NDArray[np.float64]
    levels: npt.NDArray[np.float64]


def _choose(count: int, room: int, draws: int, pairs: bool, generator: Generator) -> IntArray:
    """Numbers of canvases, each as often as it is drawn; half as many where they are to become pairs."""
    room = room // 2 if pairs else room
    draws = -(-draws // 2) if pairs else draws
    rounds = [generator.permutation(count) for _ in range(min(draws, -(-room // count)) if count else 0)]
    return np.concatenate([*rounds, np.zeros(0, np.int64)])[:room].astype(np.int64)


def _noisy(canvases: Canvases, row: Row, noising: Noising, generator: Generator) -> _Noisy:
    """Noise for canvases, which then stand in the order of their anchors: queries near each other share their keys."""
    count, width = canvases.tokens.shape
    if not count:
        empty = np.zeros((0, width))
        return _Noisy(canvases, empty.astype(np.int64), empty > 0, empty, np.zeros(0))
    blocks = canvases.blocks(noising.line_breaks, noising.nodes.find(row, canvases) if noising.nodes else None)
    levels = draw_noise_levels(count, width - 1, generator, noising.fully_masked)
    mask_token = noising.control.mask
    noisy = add_noise(blocks, levels, noising.schedule, noising.masking, mask_token, generator, noising.wrong_tokens)
    halves, numbers = [(noisy, levels.t)], [np.arange(count)]
    if noising.complementary:
        other, other_levels = add_complementary_noise(blocks, noisy, levels, noising.schedule, mask_token)
        halves.append((other, other_levels.t))
        numbers.append(np.flatnonzero(~levels.full))
    every = np.concatenate(numbers)
    order = np.argsort(canvases.anchors[every], kind="stable")

    def joined(parts: list[npt.NDArray]) -> npt.NDArray:
        return np.concatenate([part[kept] for part, kept in zip(parts, numbers, strict=True)])[order]

    taken = canvases.take(every[order])
    return _Noisy(
        taken,
        joined([half.inputs for half, _ in halves]),
        joined([half.masked for half, _ in halves]),
        joined([half.weights for half, _ in halves]) * taken.counts,
        joined([level for _, level in halves]),
    )


def _denoised(noisy: _Noisy, start: int) -> Targets:
    """What the canvases, of which the first begins at `start` of the sequence, are to say: slot j + 1 at slot j."""
    canvas, column = np.nonzero(noisy.weights)
    width = noisy.inputs.shape[1]
    masked = noisy.masked[canvas, column]
    return Targets(
        start + canvas * width + column - 1,
        noisy.canvases.tokens[canvas, column],
        noisy.weights[canvas, column].astype(np.float32),
        noisy.canvases.counts[canvas, column].astype(np.float32),
        np.where(masked, noisy.levels[canvas], -1.0).astype(np.float32),
        np.full(len(canvas), width - 1),
    )


def _next_tokens(row: Row, found: list[Segment], middles_only: bool) -> Targets:
    """The next tokens of the clean stream: those of the segments, or of every document."""
    if middles_only:
        tokens = np.concatenate([np.arange(segment.start, segment.end) for segment in found] or [np.zeros(0, np.int64)])
    else:
        follows = row.documents[1:] == row.documents[:-1]
        tokens = 1 + np.flatnonzero(follows & (row.roles[1:] != Role.PADDING))
    one, nothing = np.ones(len(tokens), np.float32), np.zeros(len(tokens), np.float32)
    return Targets(tokens - 1, row.tokens[tokens].astype(np.int64), one, one, nothing, nothing.astype(np.int64))


def _positions(documents: npt.NDArray[np.int32]) -> IntArray:
    """The place of each token in its document."""
    place = np.arange(len(documents))
    starts = np.append(True, np.diff(documents) != 0)
    return place - np.maximum.accumulate(np.where(starts, place, 0))


def _sequence(*parts: npt.NDArray) -> IntArray:
    return np.concatenate([part.reshape(-1) for part in parts]).astype(np.int64)


def _spread(values: npt.NDArray, shape: tuple[int, ...]) -> npt.NDArray:
    """A value for each canvas, repeated for its tokens."""
    return np.broadcast_to(values[:, None], shape)


def _join(*parts: Targets) -> Targets:
    return Targets(*(np.concatenate(arrays) for arrays in zip(*(vars(part).values() for part in parts), strict=True)))
