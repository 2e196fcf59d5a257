"""Everything that a training run can be told, with defaults that follow what was measured (docs/training.md).

Plain dataclasses, so that training needs no more than PyTorch and transformers; `settings_file` checks their types.
The line below a setting describes it, in the documentation and in `quickfill train settings` alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

STRICT = {"extra": "forbid", "use_attribute_docstrings": True}
"""How pydantic reads each section: an unknown name is an error."""


@dataclass(frozen=True)
class ModelSettings:
    """Where the weights come from, and what the new ones are called."""

    __pydantic_config__ = STRICT

    init: str = "embedded"
    """Weights to begin with: `embedded`, a checkpoint's folder, any Llama's folder, a `.gguf` file or a hub id."""

    tokenizer: Path | None = None
    """A `tokenizer.json` to use instead of the one that comes with `init`."""

    version: str = "unnamed"
    """What the new checkpoint calls itself."""

    holes: bool = False
    """Whether the rows teach to answer several holes in one stream."""

    edits: bool = False
    """Whether the rows teach to rewrite a region."""

    context: bool = False
    """Whether the rows show other files before the file."""

    correction: bool = False
    """Whether the new checkpoint is to be trusted with its own doubts about visible tokens."""


@dataclass(frozen=True)
class DataSettings:
    """What to learn from, and what to judge by. Paths are relative to the settings' file."""

    __pydantic_config__ = STRICT

    rows: Path
    """The folder of packed rows to train on (`quickfill data pack`)."""

    held_out: Path | None = None
    """A folder of packed rows for the held-out loss."""

    held_out_rows: int = 64
    """So many of them are used, the first ones."""

    holes: Path | None = None
    """Held-out holes to fill: a line of JSON each, with `prefix`, `middle` and `suffix`."""


@dataclass(frozen=True)
class MaskingShares:
    """Which rule masks how many of the blocks (`coder.train.masking`); only their ratio counts."""

    __pydantic_config__ = STRICT

    slots: float = 1.0
    """Every slot by itself."""

    spans: float = 0.0
    """Runs of about four slots."""

    lines: float = 0.0
    """Whole lines."""

    suffix: float = 0.0
    """Everything from some slot on."""

    nodes: float = 0.0
    """Whole syntax nodes of Python; needs tree-sitter."""


@dataclass(frozen=True)
class ObjectiveSettings:
    """What is learned: block diffusion, and the next token beside it."""

    __pydantic_config__ = STRICT

    block_sizes: tuple[int, ...] = (8, 16, 32, 64)
    """Slots of a canvas; each row draws one of these, so one that is listed twice is drawn twice as often."""

    schedule: Literal["linear", "cosine"] = "linear"
    """How the masked share follows the noise level."""

    fully_masked: float = 0.15
    """Share of the canvases without any visible slot: the state that every generation starts from."""

    next_token_weight: float = 0.5
    """What the next-token loss counts beside the denoising loss (λ)."""

    middles_only: bool = True
    """Learn from middles alone; otherwise from prefixes too, and the next token everywhere."""

    noisy_length: int | None = None
    """Room for canvases in a row, anchors included, in tokens; by default as many as the row has."""

    draws: int = 4
    """Most noisy copies of a canvas in a row, where there is room for them."""

    complementary: bool = False
    """Mask copies in pairs that cover every slot exactly once; the linear schedule only."""

    wrong_token_blocks: float = 0.25
    """Share of the canvases with wrong visible tokens, which the model has to mend."""

    wrong_token_slots: float = 0.1
    """Share of the visible slots that are wrong in these."""

    masking: MaskingShares = field(default_factory=MaskingShares)


@dataclass(frozen=True)
class OptimizerSettings:
    """AdamW, its steps, and the learning rate: a warm-up, a steady part, a straight line down to nothing."""

    __pydantic_config__ = STRICT

    rows: int = 8
    """Rows of a pass, in each process."""

    accumulate: int = 1
    """Passes of a step, in each process."""

    learning_rate: float = 1e-4
    """The highest."""

    control_token_rate: float = 5.0
    """Learning rate of the control tokens' embeddings, in multiples of the others'; where the embedding is frozen."""

    frozen_embedding: bool = True
    """Keep the embedding as it is but for the control tokens."""

    warmup_steps: int = 20
    """Steps in which the learning rate rises to its highest."""

    steady: float = 0.35
    """The part of the budget after which it begins to fall."""

    weight_decay: float = 0.02
    """Of matrices; norms and embeddings have none."""

    beta1: float = 0.9
    """Decay of the mean of gradients."""

    beta2: float = 0.98
    """Decay of the mean of their squares."""

    clip: float = 1.0
    """Longest gradient; a longer one is shortened."""


@dataclass(frozen=True)
class BudgetSettings:
    """When training is over. The learning rate follows whichever of the first two is nearer to its end."""

    __pydantic_config__ = STRICT

    max_steps: int | None = None
    """Steps in all."""

    max_seconds: float | None = None
    """Seconds of training in all, over every slice; loading and compiling count."""

    slice_seconds: float | None = None
    """Seconds after which this process saves and stops; the same command goes on from there."""


@dataclass(frozen=True)
class RunSettings:
    """How it is run, and what is written."""

    __pydantic_config__ = STRICT

    out: Path = Path("run")
    """The run's folder: checkpoints, log, samples, TensorBoard's files. A run in it goes on."""

    seed: int = 0
    """Of the order of rows, block sizes, noise."""

    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """What matrices are multiplied in; `auto`: bfloat16 on GPUs that have it. Weights are kept in float32."""

    compile: bool | None = None
    """Compile each layer's parts; by default on CUDA."""

    workers: int | None = None
    """Processes that prepare batches; by default up to 8 on CUDA, else none."""

    log_every: int = 10
    """Steps between lines of the log."""

    evaluate_every: int = 200
    """Steps between evaluations; 0 evaluates at the end only."""

    save_every: int = 200
    """Steps between checkpoints; there is one at the end, and where training is interrupted."""

    keep: int = 2
    """How many checkpoints are kept, the newest."""

    holes_to_fill: int = 64
    """Holes filled in an evaluation."""

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
