"""The training objective: block diffusion on the middles, the next token beside it, in one pass over a batch.

    L = sum over slots of (count x w(t) x -log p) / sum over slots of count  +  λ x mean of -log p(next token)

A slot's count is 1, less behind the end of a middle; its first factor is there for masked and for wrong slots only. For
one canvas size this is (1/N) Σ_blocks (w(t)/B) Σ_masked, the bound of MDLM (arXiv:2406.07524) block by block (Block
Diffusion, arXiv:2503.09573, equation 8); over mixed sizes every slot counts the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from coder.model.checkpoint.config import ControlTokens
from coder.model.torch.decoder import Decoder, Layer
from coder.train.attention import dense_attention, flex_attention_of
from coder.train.control_embedding import ControlEmbedding
from coder.train.cross_entropy import weighted_cross_entropy
from coder.train.packed_rows import NO_DOCUMENT

Tensor = torch.Tensor


class BlockDiffusionModel(torch.nn.Module):
    """A decoder that, given a batch, answers with its loss."""

    accepts_loss_kwargs = False
    """Tells `transformers.Trainer` that the loss is a mean over one batch."""

    def __init__(self, decoder: Decoder, next_token_weight: float, frozen_embedding: bool) -> None:
        super().__init__()
        self.next_token_weight = next_token_weight
        if frozen_embedding:
            trained = named_control_tokens(decoder.config.control)
            decoder.embedding = ControlEmbedding(decoder.embedding.weight, trained)
            if decoder.head is not None:
                decoder.head = ControlEmbedding(decoder.head.weight, trained)  # pyright: ignore[reportAttributeAccessIssue]
        self.decoder = decoder

    def forward(
        self,
        tokens: Tensor,
        positions: Tensor,
        documents: Tensor,
        canvases: Tensor,
        reach: Tensor,
        places: Tensor,
        answers: Tensor,
        weights: Tensor,
        counts: Tensor,
        levels: Tensor,
        sizes: Tensor,
        slots: Tensor,
    ) -> dict[str, Tensor]:
        """The `loss` of a `coder.train.batches.Batch`, and the `losses` of its targets, float32 [K], without gradient.

        Among processes that share a batch, sums are divided by what all of them hold, so that the mean of their losses
        is the loss of the whole.
        """
        if tokens.is_cuda:
            attend = flex_attention_of(documents, canvases, reach)
        else:
            # Only compiled kernels need one length for all batches.
            whole, used = tokens.shape[1], used_length(documents)
            tokens, positions = tokens[:, :used], positions[:, :used]
            attend = dense_attention(documents[:, :used], canvases[:, :used], reach[:, :used])
            places = places // whole * used + places % whole
        hidden = self.decoder(tokens, positions, attend).flatten(0, 1)[places]
        in_canvas = sizes > 0
        next_tokens = ((counts > 0) & ~in_canvas).sum().float()
        totals = mean_over_processes(torch.stack([slots[0], next_tokens])).clamp(min=1.0)
        scaled = weights * torch.where(in_canvas, 1.0 / totals[0], self.next_token_weight / totals[1])
        head = self.decoder.head or self.decoder.embedding
        trained = (head.numbers, head.rows) if isinstance(head, ControlEmbedding) else None
        loss, losses = weighted_cross_entropy(hidden, head.weight, answers, scaled, trained)
        return {"loss": loss, "losses": losses}

    def settle(self) -> None:
        """Bring trained rows into the frozen embeddings, before weights are saved."""
        for module in self.modules():
            if isinstance(module, ControlEmbedding):
                module.settle()

    def unsettle(self) -> None:
        """Take trained rows from the embeddings, after weights were loaded."""
        for module in self.modules():
            if isinstance(module, ControlEmbedding):
                module.unsettle()


def used_length(documents: Tensor) -> int:
    """Tokens of the longest row without the padding at its end; documents: int64 [rows, M]."""
    return int((documents != NO_DOCUMENT).any(dim=0).nonzero().max()) + 1


def named_control_tokens(control: ControlTokens) -> Sequence[int]:
    """The ids of the layout's control tokens, without the ones that the vocabulary only reserves."""
    return sorted(value for name, value in vars(control).items() if name != "all")


def mean_over_processes(values: Tensor) -> Tensor:
    """The mean of each value over the processes that train together."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return values
    values = values.clone()
    torch.distributed.all_reduce(values)
    return values / torch.distributed.get_world_size()


def compile_layers(decoder: Decoder, one_length: bool) -> None:
    """Compile the two parts of the layers around the attention: one layer's code serves all, in seconds.

    Args:
        one_length: all batches are equally long, which makes better kernels; so on CUDA.
    """
    dynamic = False if one_length else None
    for layer in decoder.layers:
        assert isinstance(layer, Layer)
        layer.project = torch.compile(layer.project, dynamic=dynamic)
        layer.combine = torch.compile(layer.combine, dynamic=dynamic)
