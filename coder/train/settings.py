"""Everything that a training run can be told, with defaults that follow what was measured (docs/training.md).

Plain dataclasses, so that training needs no more than PyTorch and transformers; `settings_file` checks their types.
The line below a setting describes it, in the documentation and in `quickfill train settings` alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

STRICT = {"extra": "forbid", "use_attribute_docstrings": True}
"""Settings of pydantic for each section: an unknown name is an error."""


@dataclass(frozen=True)
class ModelSettings:
    """The weights to begin with, the method, and the name of the result."""

    __pydantic_config__ = STRICT

    init: str = "embedded"
    """Weights to begin with: `embedded`, a checkpoint's folder, another causal model's, or a hub id."""

    adapter: Path | None = None
    """An adapter of these weights to train on from."""

    method: Literal["low-rank", "full"] = "low-rank"
    """Train low-rank changes of every matrix of the layers, or all weights."""

    rank: int = 32
    """Rank of the changes: more can learn more."""

    scale: float = 2.0
    """Factor of the changes."""

    frozen_layers: int = 0
    """So many of the lowest layers are not trained: no gradient goes through them, nor to the mask's embedding."""

    local_width: int = 1024
    """Width of the local autoregression; 0 trains none."""

    version: str = "unnamed"
    """Name of the new checkpoint."""

    holes: bool = False
    """True where the rows teach to answer several holes in one stream."""

    context: bool = False
    """True where the rows show other files before the file."""

    edits: bool = False
    """True where the rows teach to foresee edits."""


@dataclass(frozen=True)
class DataSettings:
    """Rows to learn from and to judge by. Paths are relative to the settings' file."""

    __pydantic_config__ = STRICT

    rows: Path
    """The folder of packed rows to train on (`quickfill data pack`)."""

    held_out: Path | None = None
    """A folder of packed rows for the held-out loss."""

    held_out_rows: int = 16
    """So many of them are used, the first ones."""

    holes: Path | None = None
    """Held-out holes to fill when the run is over: a line of JSON each, with `prefix`, `middle` and `suffix`."""


@dataclass(frozen=True)
class ObjectiveSettings:
    """The objective: next tokens, canvases of masked slots, and the local autoregression over these."""

    __pydantic_config__ = STRICT

    canvas_sizes: tuple[int, ...] = (4, 4, 8, 8, 8, 16)
    """Slots of a canvas; each example draws one of these, so one that is listed twice is drawn twice as often."""

    spacing: float = 0.25
    """Mean distance of anchors, in canvas sizes: how many canvases share a context."""

    fully_masked: float = 0.6
    """Share of the canvases without any visible slot: the state that every generation starts from."""

    near_weight: float = 0.85
    """Each slot weighs so much of the one before it: near ones can be learned, and are what a pass fixes."""

    end_weight: float = 2.0
    """Weight of the token that ends an answer; any other has 1."""

    behind_the_end: float = 0.1
    """Weight of a slot behind the end of an answer: such slots are easy and many."""

    most_level_weight: float = 3.0
    """Bound of the weight 1/t that a noise level t gives a canvas."""

    soft_targets: int = 24
    """So many of the clean stream's likeliest tokens teach a slot."""

    soft_share: float = 0.5
    """Their share of a slot's target; the rest is the right token."""

    local_soft_share: float = 0.5
    """The same in the targets of the local autoregression."""

    context_gradient: bool = False
    """Send the gradient through the context too, as if it were one stream with the region: slower by as much."""

    next_token_weight: float = 1.0
    """Weight of the next tokens' loss; that of canvases has 1."""

    local_weight: float = 0.5
    """Weight of the local autoregression's loss."""


@dataclass(frozen=True)
class OptimizerSettings:
    """AdamW, its steps, and the learning rate: a warm-up, a steady part, a straight line down."""

    __pydantic_config__ = STRICT

    rows: int = 2
    """Rows of a pass, in each process."""

    accumulate: int = 2
    """Passes of a step, in each process."""

    learning_rate: float = 4e-4
    """The highest. For `full`, a tenth of this or less."""

    mask_rate: float = 10.0
    """Learning rate of the mask's embedding, in multiples of the others'."""

    local_rate: float = 3.0
    """The same of the local autoregression."""

    warmup_steps: int = 15
    """Steps in which the learning rate rises to its highest."""

    steady: float = 0.3
    """The part of the budget after which it begins to fall."""

    lowest: float = 0.08
    """The rate at the end, as a share of the highest."""

    weight_decay: float = 0.0
    """Of matrices; norms and embeddings have none."""

    beta1: float = 0.9
    """Decay of the mean of gradients."""

    beta2: float = 0.98
    """Decay of the mean of their squares."""

    clip: float = 1.0
    """Longest gradient; a longer one is shortened."""


@dataclass(frozen=True)
class BudgetSettings:
    """The end of training. The learning rate follows whichever of the first two is nearer to its end."""

    __pydantic_config__ = STRICT

    max_steps: int | None = None
    """Steps in all."""

    max_seconds: float | None = None
    """Seconds of training in all, over every slice; loading counts."""

    slice_seconds: float | None = None
    """Seconds after which this process saves and stops; the same command goes on from there."""


@dataclass(frozen=True)
class RunSettings:
    """The run itself: its folder, precision, log and checkpoints."""

    __pydantic_config__ = STRICT

    out: Path = Path("run")
    """The run's folder: checkpoints, log, TensorBoard's files. A run in it goes on."""

    seed: int = 0
    """Of the order of rows, canvases, noise."""

    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of products; `auto`: bfloat16 where the processor or GPU has it. Trained weights are float32 in any case."""

    attention: Literal["auto", "dense"] = "auto"
    """On CUDA FlexAttention, elsewhere dense masks; `dense`: these on CUDA too, slower, should the other fail there."""

    compile: bool = False
    """Compile what is computed element by element into few loops: a tenth faster. Needs a compiler."""

    threads: int | None = None
    """Of a processor; by default as many as PyTorch takes."""

    workers: int | None = None
    """Processes that prepare batches; by default up to 8 on CUDA, else none."""

    log_every: int = 10
    """Steps between lines of the log."""

    evaluate_every: int = 200
    """Steps between evaluations; 0 evaluates at the end only."""

    save_every: int = 50
    """Steps between checkpoints; there is one at the end, and where training is interrupted."""

    keep: int = 2
    """Number of checkpoints that are kept, the newest."""

    holes_to_fill: int = 64
    """Holes filled when the run is over."""

    hole_tokens: int = 64
    """Most tokens of an answer there."""


@dataclass(frozen=True)
class TrainSettings:
    """A settings file: a section for each of these."""

    __pydantic_config__ = STRICT

    data: DataSettings
    model: ModelSettings = field(default_factory=ModelSettings)
    objective: ObjectiveSettings = field(default_factory=ObjectiveSettings)
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    budget: BudgetSettings = field(default_factory=BudgetSettings)
    run: RunSettings = field(default_factory=RunSettings)
