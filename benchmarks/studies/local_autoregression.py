"""Compare forms of the local autoregression on the same states.

`python -m benchmarks.studies.local_autoregression --adapter FILE --rows ROWS --held-out ROWS`
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from benchmarks.report import Row, machine, print_rows, report_console, write_json
from coder.train.base_model import Base, open_base
from coder.train.cross_entropy import head_loss
from coder.train.objective import TwoStreamModel
from coder.train.packed_rows import PackedRows, documents_of
from coder.train.run import precision, prepared
from coder.train.settings import DataSettings, ModelSettings, ObjectiveSettings, TrainSettings
from coder.train.streams import CLEAN, NOTHING, collate, streams_of

Tensor = torch.Tensor
functional = torch.nn.functional

SLOTS = 8
EARLIER = 4
"""Tokens before a slot that a form may look at."""
SOFT = 24
CANVASES_TOGETHER = 256


@dataclass(frozen=True)
class Canvases:
    """N fully masked canvases of B slots, as a model sees them.

    Attributes:
        states: [N, B, hidden], last hidden states.
        earlier: int64 [N, 4 + B], the text from three tokens before the anchor to the last slot.
        best, shares: [N, B, n], the likeliest tokens where everything before a slot is in view, and their shares.
        known: bool [N, B], whether a slot lies inside the text.
    """

    states: Tensor
    earlier: Tensor
    best: Tensor
    shares: Tensor
    known: Tensor

    def __len__(self) -> int:
        return len(self.states)

    def part(self, chosen: Tensor) -> Canvases:
        return Canvases(*(values[chosen] for values in vars(self).values()))

    @property
    def labels(self) -> Tensor:
        return self.earlier[:, EARLIER:]


class Form(torch.nn.Module):
    """h + W2 · silu(W1 · [rms(h); e(x₋₁); …; e(x₋ₙ)] + b1); with `recurrent` also of the output of the slot before.

    It begins with what the model's own has learned.
    """

    def __init__(self, model: TwoStreamModel, tokens: int, width: int, recurrent: bool) -> None:
        super().__init__()
        hidden = model.head.shape[1]
        self.model, self.tokens, self.recurrent = [model], tokens, recurrent
        parts = 1 + tokens + recurrent
        generator = torch.Generator().manual_seed(0)
        first = torch.randn(width, parts * hidden, generator=generator) / math.sqrt(parts * hidden)
        self.W1 = torch.nn.Parameter(first)
        self.b1 = torch.nn.Parameter(torch.zeros(width))
        self.W2 = torch.nn.Parameter(torch.zeros(hidden, width))
        if (learned := model.local) is not None:
            own, seen = len(learned.b1), learned.W1.shape[1]
            with torch.no_grad():
                self.W1[:own, :seen], self.W1[:own, seen:] = learned.W1, 0.0
                self.b1[:own], self.W2[:, :own] = learned.b1, learned.W2

    def step(self, states: Tensor, before: Tensor, last: Tensor) -> Tensor:
        """One slot of each canvas: states [N, hidden], before int64 [N, n], the nearest first, last [N, hidden]."""
        dtype = states.dtype
        inputs = [_unit(states), self.model[0].scaled_embedding(before[:, : self.tokens]).to(dtype).flatten(1)]
        if self.recurrent:
            inputs.append(_unit(last))
        inner = functional.silu(functional.linear(torch.cat(inputs, dim=-1), self.W1.to(dtype), self.b1.to(dtype)))
        return states + functional.linear(inner, self.W2.to(dtype))

    def forward(self, canvases: Canvases) -> Tensor:
        """States for the head [N, B, hidden], the right tokens before each slot."""
        found, last = [], torch.zeros_like(canvases.states[:, 0])
        for slot in range(canvases.states.shape[1]):
            last = self.step(canvases.states[:, slot], _before(canvases.earlier, slot), last)
            found.append(last)
        return torch.stack(found, dim=1)

    @torch.no_grad()
    def chain(self, canvases: Canvases) -> Tensor:
        """Tokens int64 [N, B], each the likeliest given those before it."""
        text, last = canvases.earlier.clone(), torch.zeros_like(canvases.states[:, 0])
        for slot in range(canvases.states.shape[1]):
            last = self.step(canvases.states[:, slot], _before(text, slot), last)
            text[:, EARLIER + slot] = (last @ self.model[0].head.T).argmax(-1)
        return text[:, EARLIER:]


def _unit(states: Tensor) -> Tensor:
    return functional.rms_norm(states.float(), states.shape[-1:], eps=torch.finfo(torch.float32).eps).to(states.dtype)


def _before(text: Tensor, slot: int) -> Tensor:
    """The tokens before a slot, the nearest first."""
    return text[:, slot : slot + EARLIER].flip(1)


@dataclass(frozen=True)
class Variant:
    """A form and how it learns: `soft` is the share of the predictions with everything in view, the rest the text's."""

    name: str
    tokens: int = 2
    width: int = 1024
    recurrent: bool = False
    soft: float = 0.5


VARIANTS = (
    Variant("as it is"),
    Variant("softer", soft=1.0),
    Variant("wider", width=2048),
    Variant("four tokens", tokens=4),
    Variant("recurrent", recurrent=True),
)


def main(
    adapter: Annotated[Path, typer.Option(help="The adapter whose states are learned from.")],
    rows: Annotated[Path, typer.Option(help="Packed rows to learn from.")],
    held_out: Annotated[Path, typer.Option(help="Packed rows to judge by.")],
    init: Annotated[str, typer.Option(help="The adapter's base.")] = "embedded",
    canvases: Annotated[int, typer.Option(help="Canvases to learn from; a quarter as many to judge by.")] = 16_000,
    epochs: Annotated[int, typer.Option(help="How often each is seen.")] = 3,
    rate: Annotated[float, typer.Option(help="The highest learning rate.")] = 6e-4,
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
) -> None:
    """Let forms of the local autoregression learn from the same states, and say how much of their drafts is right."""
    settings = TrainSettings(DataSettings(rows), ModelSettings(init=init, adapter=adapter))
    base = open_base(init, precision(settings))
    model = prepared(base, settings).requires_grad_(False).eval()
    taught, judged = (seen(model, base, folder, n) for folder, n in ((rows, canvases), (held_out, canvases // 4)))
    found = [figures("untaught", Form(model, 2, model.local.W1.shape[0], False), judged)] if model.local else []
    for variant in VARIANTS:
        form = Form(model, variant.tokens, variant.width, variant.recurrent)
        teach(form, taught, variant.soft, epochs, rate)
        found.append(figures(variant.name, form, judged))
        print_rows(report_console(), f"Local autoregression, {len(judged):,} canvases", found)
    if json is not None:
        write_json(json, {"forms": found, "canvases": len(taught), "epochs": epochs, "machine": machine()})


@torch.no_grad()
def seen(model: TwoStreamModel, base: Base, folder: Path, count: int) -> Canvases:
    """Fully masked canvases at random places of rows, as the model sees them."""
    objective = ObjectiveSettings(canvas_sizes=(SLOTS,), fully_masked=1.0, soft_targets=SOFT)
    parts: list[Canvases] = []
    found = PackedRows(folder)
    for number in range(len(found)):
        generator = np.random.default_rng([number])
        documents = [document for document in documents_of(found[number]) if not document.instructed]
        if not documents:
            continue
        tokens = base.tokens
        batch = collate([streams_of(one, tokens.ends, tokens.mask, objective, generator) for one in documents])
        hidden, clean = model.states(batch), batch["canvases"] == CLEAN
        likely, best = (hidden[clean] @ model.head.T).float().topk(SOFT, dim=-1)
        shares, row = likely.softmax(-1), clean.cumsum(0) - 1  # of a clean place among the clean ones
        for canvas in (~clean).nonzero()[:, 0].view(-1, SLOTS + 1):
            document, teachers = documents[int(batch["documents"][canvas[0]])], batch["teachers"][canvas[:-1]]
            region = torch.tensor([*document.context[-1:], *document.middle], dtype=torch.int64)
            padded = torch.cat([region[:1].expand(EARLIER - 1), region, region[-1:].expand(SLOTS)])
            anchor = int(batch["seen"][canvas[0]])
            text = padded[anchor : anchor + EARLIER + SLOTS]
            own = row[teachers.clamp(min=0)]
            parts.append(Canvases(hidden[canvas[:-1]], text, best[own], shares[own], teachers != NOTHING))
        if len(parts) >= count:
            break
    return Canvases(*(torch.stack([getattr(part, name) for part in parts[:count]]) for name in vars(parts[0])))


def batches(canvases: Canvases, seed: int) -> Iterator[Canvases]:
    order = torch.randperm(len(canvases), generator=torch.Generator().manual_seed(seed))
    yield from (canvases.part(chosen) for chosen in order.split(CANVASES_TOGETHER))


def teach(form: Form, canvases: Canvases, soft: float, epochs: int, rate: float) -> None:
    """AdamW, the rate falling in a straight line; near slots weigh more, as in training."""
    optimizer = torch.optim.AdamW(form.parameters(), lr=rate, betas=(0.9, 0.98), weight_decay=0.0)
    steps = epochs * math.ceil(len(canvases) / CANVASES_TOGETHER)
    weights = ObjectiveSettings().near_weight ** torch.arange(SLOTS)
    done = 0
    for epoch in range(epochs):
        for batch in batches(canvases, epoch):
            for group in optimizer.param_groups:
                group["lr"] = rate * min(1.0, (done + 1) / 10) * (1.0 - done / steps)
            chosen = batch.known.flatten()
            tokens = torch.cat([batch.labels.flatten()[:, None], batch.best.flatten(0, 1)], dim=1)[chosen]
            shares = torch.cat([torch.full((len(chosen), 1), 1.0 - soft), soft * batch.shares.flatten(0, 1)], dim=1)
            states = form(batch).flatten(0, 1)[chosen]
            own = weights.expand(len(batch), SLOTS).flatten()[chosen]
            loss = head_loss(states, form.model[0].head, tokens, shares[chosen], own).total / own.sum()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(form.parameters(), 1.0)
            optimizer.step()
            done += 1


@torch.no_grad()
def figures(name: str, form: Form, canvases: Canvases) -> Row:
    """How many of a draft's first tokens are autoregressive decoding's, and by slot the share that is right where the
    tokens before it are."""
    right, accepted = torch.zeros(SLOTS), []
    for batch in batches(canvases, 0):
        best = torch.stack([(part @ form.model[0].head.T).argmax(-1) for part in form(batch).unbind(1)], dim=1)
        right += ((best == batch.labels) & batch.known).sum(0)
        # Behind a token that decoding would not write, what it would write next is not known.
        follows = (batch.best[..., 0] == batch.labels) & batch.known
        met = follows & (form.chain(batch) == batch.labels)
        accepted.append(met.long().cumprod(1).sum(1))
    shares = right / canvases.known.sum(0).clamp(min=1)
    by_slot = {f"slot_{slot + 1}": float(share) for slot, share in enumerate(shares)}
    return {"form": name, "accepted": float(torch.cat(accepted).float().mean()), **by_slot}


if __name__ == "__main__":
    typer.run(main)
