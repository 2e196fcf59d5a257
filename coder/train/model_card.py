"""The card of a checkpoint that was trained here: what it was made of, and what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from coder.model.checkpoint.opening import EMBEDDED
from coder.train.infilling import Answer
from coder.train.loss_table import LEVELS
from coder.train.packed_rows import PackedRows
from coder.train.settings import TrainSettings

Log = Sequence[Mapping[str, Any]]
"""What a run logged, oldest first."""


def model_card(settings: TrainSettings, log: Log, answers: Sequence[Answer]) -> str:
    """Markdown. What a program cannot know, licence and limits, is left as a line to be written."""
    training = [entry for entry in log if "loss" in entry]
    last = training[-1] if training else {"step": 0, "seconds": 0.0}
    model, objective = settings.model, settings.objective
    base = "the embedded checkpoint" if model.init == EMBEDDED else f"`{model.init.rpartition('/')[2]}`"
    abilities = [name for name in ("holes", "edits", "correction", "context") if getattr(model, name)]
    sizes = ", ".join(str(size) for size in sorted(set(objective.block_sizes)))
    facts = {
        "Base": base,
        "Training data": _data(settings),
        "Training": f"{last['step']} steps, {last['seconds'] / 60:.0f} minutes; "
        f"loss on {'middles' if objective.middles_only else 'everything'}, "
        f"embedding {'frozen but for the control tokens' if settings.optimizer.frozen_embedding else 'trained'}, "
        f"learning rate {settings.optimizer.learning_rate:g}, canvases of {sizes}",
        "Abilities": ", ".join(["one hole", *abilities]),
        "Licence": "to be written",
        "Limits": "to be written",
    }
    parts = [f"# Model card: {model.version}", _table(["", ""], [[name, text] for name, text in facts.items()])]
    if answers:
        parts += ["## Held-out holes", _holes_text(answers), _holes_table(answers)]
    evaluations = [entry for entry in log if "eval_loss" in entry]
    if evaluations:
        parts += [
            "## Held-out loss",
            f"Nats a token in float32, by canvas size and noise level; the next token's: "
            f"{evaluations[-1]['eval_next_token']:.3f}.",
            _loss_table(evaluations[-1], sorted(set(objective.block_sizes))),
        ]
    return "\n\n".join(parts) + "\n"


def _data(settings: TrainSettings) -> str:
    card = PackedRows(settings.data.rows).card if settings.data.rows.is_dir() else None
    if card is None:
        return "to be written"
    return f"{card.rows:,} rows, {card.tokens:,} tokens, {card.middle_tokens:,} of them in middles"


def _holes_text(answers: Sequence[Answer]) -> str:
    holes = len({answer.hole for answer in answers})
    return (
        f"{holes} of them, int8 on a processor, greedy, the length found by the model. Exact: the whole answer is what "
        "stood there."
    )


def _holes_table(answers: Sequence[Answer]) -> str:
    rows = []
    for method in dict.fromkeys(answer.method for answer in answers):
        own = [answer for answer in answers if answer.method == method]
        passes = sum(answer.canvas_passes + answer.commit_passes for answer in own)
        rows.append(
            [
                method.policy + (f", canvas {method.canvas_size}" if method.canvas_size else ""),
                f"{sum(answer.exact for answer in own) / len(own):.1%}",
                f"{sum(answer.first_line for answer in own) / len(own):.1%}",
                f"{sum(answer.tokens for answer in own) / max(1, passes):.2f}",
            ]
        )
    return _table(["method", "exact", "first line", "tokens a pass"], rows)


def _loss_table(figures: Mapping[str, Any], sizes: Sequence[int]) -> str:
    def cell(size: int, level: str) -> str:
        value = figures.get(f"eval_denoise_{size}_{level}")
        return "–" if value is None else f"{value:.3f}"

    heads = ["canvas", *(level if level == "full" else f"t ≤ {level}" for level in LEVELS)]
    return _table(heads, [[str(size), *(cell(size, level) for level in LEVELS)] for size in sizes])


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
