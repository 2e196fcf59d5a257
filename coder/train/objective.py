"""The training objective: next tokens, masked slots, and the local autoregression, over two packed streams.

    L = λ · next + canvas + μ · local

each a weighted mean: over the region's next tokens, over the masked slots of canvases, and over those of them that lie
inside the region, predicted with the right tokens before them. Half of a slot's target is soft: what the clean stream,
which sees everything before it, predicts in the same place. It costs nothing, since that is computed anyway.

Where an instruction was answered (`instructed`), the target is the base's own prediction, the same network with the
low-rank changes off: so an adapter learns to fill canvases there without unlearning to follow instructions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from coder.train.attention import FlexStreams, TwoStreamAttention
from coder.train.cross_entropy import HeadLoss, head_loss
from coder.train.local_autoregression import TrainedLocalAutoregression
from coder.train.low_rank import refresh, without_changes
from coder.train.settings import ObjectiveSettings
from coder.train.streams import CLEAN, NOTHING, Batch

Tensor = torch.Tensor
functional = torch.nn.functional


@dataclass(frozen=True)
class Targets:
    """The clean places that teach: their K distributions over n tokens, by the place in the stream.

    Attributes:
        row: int64 [R], the row of each place, or -1. tokens, shares: [K, n].
    """

    row: Tensor
    tokens: Tensor
    shares: Tensor

    def at(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """The distributions of some places."""
        rows = self.row[places]
        return self.tokens[rows], self.shares[rows]


class TwoStreamModel(torch.nn.Module):
    """A causal language model of `transformers` that, given a batch, answers with its loss.

    Attributes:
        mask_embedding: [hidden_size], float32, what an undecided slot looks like.
        local: None trains no local autoregression.
        flexible: whether attention is FlexAttention on CUDA.
    """

    accepts_loss_kwargs = False
    """Tells `transformers.Trainer` that the loss is a mean over one batch."""

    def __init__(
        self, model: Any, mask: int, local: TrainedLocalAutoregression | None, objective: ObjectiveSettings
    ) -> None:
        super().__init__()
        self.model = model
        self.local = local
        self.mask = mask
        self.objective = objective
        self.flexible = True
        embedding = model.get_input_embeddings().weight.detach()
        self.mask_embedding = torch.nn.Parameter(embedding[mask].float().clone())
        # Of a few thousand words: the first hundreds are control tokens and bytes.
        self.register_buffer("_unit", 1.0 / embedding[256:8192].float().std().clamp(min=1e-6), persistent=False)

    _unit: Tensor

    def forward(self, **batch: Tensor) -> dict[str, Tensor]:
        """Return the `loss` of a `coder.train.streams.Batch`, and by place [R], without a gradient: `nats` of each
        label, NaN where nothing is learned; `local_nats`, those of the local autoregression; and in evaluations
        `full_right` and `local_right`, whether the label is the likeliest token.
        """
        hidden = self.states(batch)
        labels, weights, slots = batch["labels"], batch["weights"], batch["slots"]
        next_token = ((slots == 0) & (labels != NOTHING)).nonzero()[:, 0]
        in_canvas = ((slots > 0) & (labels != NOTHING)).nonzero()[:, 0]
        taught = in_canvas[batch["teachers"][in_canvas] != NOTHING]
        nats = torch.full(labels.shape, float("nan"), device=labels.device)
        local_nats, right = nats.clone(), torch.zeros_like(labels, dtype=torch.bool)
        local_right = right.clone()

        clean, targets = self._next_tokens(hidden, batch, next_token)
        nats[next_token] = clean.nats
        loss = self.objective.next_token_weight * clean.total / weights[next_token].sum().clamp(min=1e-6)

        if len(in_canvas):
            tokens, shares = self._slot_targets(batch, in_canvas, targets, self.objective.soft_share)
            found = head_loss(hidden[in_canvas], self.head, tokens, shares, weights[in_canvas])
            nats[in_canvas], right[in_canvas] = found.nats, found.right
            loss = loss + found.total / weights[in_canvas].sum().clamp(min=1e-6)
        if self.local is not None and len(taught):
            states = self.local(hidden[taught], self.scaled_embedding(batch["before"][taught]))
            tokens, shares = self._slot_targets(batch, taught, targets, self.objective.local_soft_share)
            found = head_loss(states, self.head, tokens, shares, weights[taught])
            local_nats[taught], local_right[taught] = found.nats, found.right
            loss = loss + self.objective.local_weight * found.total / weights[taught].sum().clamp(min=1e-6)
        figures = {"nats": nats, "local_nats": local_nats, "full_right": right, "local_right": local_right}
        return {"loss": loss, **figures}

    def states(self, batch: Batch) -> Tensor:
        """Return the last hidden states [R, hidden_size], scaled as the model scales its logits."""
        refresh(self.model)
        return self._region(batch, self._streams(batch))

    @property
    def head(self) -> Tensor:
        """The matrix [vocabulary, hidden_size] that makes logits of states."""
        return self.model.get_output_embeddings().weight

    def scaled_embedding(self, tokens: Tensor) -> Tensor:
        """Embeddings of tokens at a standard deviation of about 1, as the local autoregression reads them."""
        return self._embed(tokens).detach().float() * self._unit

    def _embed(self, tokens: Tensor) -> Tensor:
        found = self.model.get_input_embeddings()(tokens)
        return torch.where((tokens == self.mask)[..., None], self.mask_embedding.to(found.dtype), found)

    def _streams(self, batch: Batch) -> TwoStreamAttention | FlexStreams:
        """Run the context, whose keys and values the region will see."""
        dtype = self.model.get_input_embeddings().weight.dtype
        if torch.is_autocast_enabled(batch["tokens"].device.type):
            dtype = torch.get_autocast_dtype(batch["tokens"].device.type)
        flexible = self.flexible and batch["tokens"].is_cuda
        streams = FlexStreams(batch) if flexible else TwoStreamAttention(batch, dtype)
        if len(batch["context_tokens"]):
            with torch.set_grad_enabled(self.objective.context_gradient and torch.is_grad_enabled()):
                self._run(batch["context_tokens"], batch["context_positions"], streams.context)
        return streams

    def _region(self, batch: Batch, streams: TwoStreamAttention | FlexStreams) -> Tensor:
        """Last hidden states [R, hidden_size]."""
        hidden = self._run(batch["tokens"], batch["positions"], streams.region)
        return hidden / getattr(self.model.config, "logits_scaling", 1.0)

    def _run(self, tokens: Tensor, positions: Tensor, attend: Any) -> Tensor:
        found = self.model.get_decoder()(
            inputs_embeds=self._embed(tokens)[None], position_ids=positions[None], use_cache=False, attend=attend
        )
        return found.last_hidden_state[0]

    def _next_tokens(self, hidden: Tensor, batch: Batch, places: Tensor) -> tuple[HeadLoss, Targets]:
        """The loss of the next tokens, and what their predictions teach."""
        objective = self.objective
        tokens, shares = _hard(batch["labels"][places], objective.soft_targets)
        own = (batch["instructed"][places] > 0).nonzero()[:, 0]
        if len(own):
            tokens[own, 1:], shares[own, 1:] = self._base_predictions(batch)
            shares[own, 0] = 0.0
        found = head_loss(hidden[places], self.head, tokens, shares, batch["weights"][places], objective.soft_targets)
        best, likely = found.tokens, found.probabilities / found.probabilities.sum(dim=-1, keepdim=True)
        if len(own):
            best, likely = best.clone(), likely.clone()
            best[own], likely[own] = tokens[own, 1:], shares[own, 1:].to(likely.dtype)
        row = torch.full(batch["labels"].shape, -1, device=places.device)
        row[places] = torch.arange(len(places), device=places.device)
        return found, Targets(row, best, likely.float())

    def _slot_targets(self, batch: Batch, places: Tensor, targets: Targets, soft: float) -> tuple[Tensor, Tensor]:
        """Targets of slots: the right token, and for a share their teachers' predictions."""
        tokens, shares = _hard(batch["labels"][places], self.objective.soft_targets)
        teachers = batch["teachers"][places]
        own = (teachers != NOTHING).nonzero()[:, 0]
        taught, likely = targets.at(teachers[own])
        tokens[own, 1:], shares[own, 1:] = taught, soft * likely
        shares[own, 0] = 1.0 - soft
        return tokens, shares

    @torch.no_grad()
    def _base_predictions(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The base's likeliest tokens [K, n] and their shares, at the instructed clean places."""
        kept = instructed_part(batch)
        with without_changes(self.model):
            hidden = self._region(kept, self._streams(kept))
        tokens, shares = _hard(kept["labels"], 0)
        found = head_loss(hidden, self.head, tokens, shares, kept["weights"], self.objective.soft_targets)
        return found.tokens, (found.probabilities / found.probabilities.sum(dim=-1, keepdim=True)).float()


def instructed_part(batch: Batch) -> Batch:
    """The clean places of instructed examples, and their contexts, as a batch of its own."""
    clean = (batch["instructed"] > 0) & (batch["canvases"] == CLEAN)
    documents = batch["documents"][clean].unique()
    context = torch.isin(batch["context_documents"], documents)
    part = {name: values[context if name.startswith("context_") else clean] for name, values in batch.items()}
    for name in ("documents", "context_documents"):
        part[name] = torch.searchsorted(documents, part[name])
    return part


def _hard(labels: Tensor, others: int) -> tuple[Tensor, Tensor]:
    """Labels as distributions of 1 + `others` tokens, all of it on the first."""
    tokens = torch.zeros(len(labels), 1 + others, dtype=torch.int64, device=labels.device)
    shares = torch.zeros(len(labels), 1 + others, device=labels.device)
    tokens[:, 0], shares[:, 0] = labels, 1.0
    return tokens, shares
