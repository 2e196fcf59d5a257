"""The card of a model that was trained here: its data, its training, its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coder.api.stopping import MISPLACED
from coder.model.checkpoint.opening import EMBEDDED
from coder.train.held_out import MOST_SLOTS
from coder.train.infilling import InfillingAnswer, stopping_shares
from coder.train.packed_rows import PackedRows
from coder.train.settings import TrainSettings

Log = Sequence[Mapping[str, Any]]
"""The log of a run, oldest entry first."""


def model_card(settings: TrainSettings, log: Log, answers: Sequence[InfillingAnswer]) -> str:
    """Markdown. Licence and limits are lines to be written, since no program knows them."""
    training = [entry for entry in log if "loss" in entry]
    last = training[-1] if training else {"step": 0, "seconds": 0.0}
    model, objective = settings.model, settings.objective
    base = "the embedded checkpoint" if model.init == EMBEDDED else f"`{Path(model.init).name}`"
    abilities = [name for name in ("holes", "context") if getattr(model, name)]
    sizes = ", ".join(str(size) for size in sorted(set(objective.canvas_sizes)))
    method = "all weights" if model.method == "full" else f"low rank {model.rank} on every matrix of the layers"
    facts = {
        "Base": base,
        "Training data": _data(settings),
        "Training": f"{last['step']} steps, {last['seconds'] / 60:.0f} minutes; {method}, "
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
            f"Nats a token; the next token's: {evaluations[-1]['eval_next_token']:.3f}. A fully masked canvas by slot, "
            "plain and by the local autoregression with the right tokens before it:",
            _slot_table(evaluations[-1]),
        ]
    return "\n\n".join(parts) + "\n"


def _data(settings: TrainSettings) -> str:
    card = PackedRows(settings.data.rows).card if settings.data.rows.is_dir() else None
    if card is None:
        return "to be written"
    return f"{card.rows:,} rows, {card.tokens:,} tokens, {card.middle_tokens:,} of them in middles"


def _holes_text(answers: Sequence[InfillingAnswer]) -> str:
    holes = len({answer.hole for answer in answers})
    return (
        f"{holes} of them, int8 on a processor, greedy, the length found by the model. Exact: the whole answer is what "
        "stood there."
    )


def _holes_table(answers: Sequence[InfillingAnswer]) -> str:
    rows = []
    for method in dict.fromkeys(answer.method for answer in answers):
        own = [answer for answer in answers if answer.method == method]
        passes = sum(answer.canvas_passes + answer.commit_passes for answer in own)
        rows.append(
            [
                method.policy + (f", canvas {method.canvas_size}" if method.canvas_size else ""),
                f"{sum(answer.exact for answer in own) / len(own):.1%}",
                f"{sum(answer.first_line for answer in own) / len(own):.1%}",
                *(f"{share:.1%}" for share in stopping_shares(own).values()),
                f"{sum(answer.tokens for answer in own) / max(1, passes):.2f}",
            ]
        )
    return _table(["method", "exact", "first line", *MISPLACED, "tokens a pass"], rows)


def _slot_table(figures: Mapping[str, Any]) -> str:
    slots = [slot for slot in range(1, MOST_SLOTS + 1) if f"eval_full_{slot}" in figures]

    def row(head: str, name: str, form: str) -> list[str]:
        values = [figures.get(f"eval_{name}_{slot}") for slot in slots]
        return [head, *("–" if value is None else format(value, form) for value in values)]

    rows = [
        row("nats", "full", ".2f"),
        row("nats, local", "local", ".2f"),
        row("right", "full_right", ".0%"),
        row("right, local", "local_right", ".0%"),
    ]
    return _table(["slot", *map(str, slots)], rows)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
