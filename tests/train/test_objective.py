"""One packed, masked pass against many plain ones: the same loss and the same gradient, for every canvas size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from coder.model.checkpoint.config import Abilities, ModelConfig
from coder.model.torch.decoder import Decoder, grouped_attention
from coder.train.batches import IN_SEQUENCE, collate
from coder.train.control_embedding import ControlEmbedding
from coder.train.noising import WrongTokens
from coder.train.noisy_rows import CLEAN, NoisyRow, noisy_row
from coder.train.objective import BlockDiffusionModel, used_length
from coder.train.packed_rows import NO_DOCUMENT
from tests.train.rows import CONTROL, VOCABULARY, mixed_row, noising

CONFIG = ModelConfig(
    "tiny", 24, 32, 2, 4, 2, 8, VOCABULARY, 512, 10_000.0, 1e-5, True, (4, 8), Abilities(), (), CONTROL
)
NEXT_TOKEN_WEIGHT = 0.5


def decoder(tied: bool = True) -> Decoder:
    torch.manual_seed(0)
    return Decoder(replace(CONFIG, tied_embeddings=tied)).double()


def rows_of(size: int) -> list[NoisyRow]:
    how = noising(draws=2, wrong_tokens=WrongTokens(np.arange(17, VOCABULARY), 0.5, 0.3))
    return [noisy_row(mixed_row(), size, 160, how, np.random.default_rng(seed)) for seed in range(2)]


def plain_loss(model: Decoder, rows: list[NoisyRow]) -> torch.Tensor:
    """A context pass for each document, a canvas pass on top of its keys and values for each canvas, one by one."""
    denoising, next_token, slots, predicted = torch.zeros(()), torch.zeros(()), 0.0, 0
    for row in rows:
        hidden = [None] * len(row.tokens)
        for document in range(row.documents.max() + 1):
            clean = np.flatnonzero((row.documents == document) & (row.canvases == CLEAN))
            cache: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

            def context(layer, queries, keys, values, cache=cache):
                cache[layer] = keys, values
                length = keys.shape[2]
                return grouped_attention(queries, keys, values, torch.ones(length, length, dtype=torch.bool).tril())

            run(model, row, clean, context, hidden)
            noisy = (row.documents == document) & (row.canvases != CLEAN)
            for number in np.unique(row.canvases[noisy]):
                canvas = np.flatnonzero(row.canvases == number)
                known = int(row.reach[canvas[0]]) + 1 - int(clean[0])

                def on_top(layer, queries, keys, values, cache=cache, known=known):
                    before = [part[:, :, :known] for part in cache[layer]]
                    keys, values = torch.cat([before[0], keys], 2), torch.cat([before[1], values], 2)
                    visible = torch.ones(queries.shape[2], keys.shape[2], dtype=torch.bool)
                    return grouped_attention(queries, keys, values, visible)

                run(model, row, canvas, on_top, hidden)
        targets = row.targets
        for place, token, weight, size in zip(
            targets.places, targets.tokens, targets.weights, targets.sizes, strict=True
        ):
            loss = -model.logits(hidden[place]).log_softmax(-1)[token] * float(weight)
            denoising, next_token = (denoising + loss, next_token) if size else (denoising, next_token + loss)
            predicted += not size
        slots += row.slots
    return denoising / slots + NEXT_TOKEN_WEIGHT * next_token / predicted


def run(model: Decoder, row: NoisyRow, places: np.ndarray, attend, hidden: list) -> None:
    tokens, positions = torch.tensor(row.tokens[places])[None], torch.tensor(row.positions[places])[None]
    for place, state in zip(places, model(tokens, positions, attend)[0], strict=True):
        hidden[place] = state


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("size", [1, 4, 8, 16, 32])
def test_the_packed_pass_equals_plain_ones(size: int, tied: bool):
    rows = rows_of(size)
    plain, packed = decoder(tied), BlockDiffusionModel(decoder(tied), NEXT_TOKEN_WEIGHT, frozen_embedding=False)
    expected, found = plain_loss(plain, rows), packed(**collate(rows))["loss"]
    # Weights are kept in float32, everything else is in float64 here.
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-6)
    expected.backward()
    found.backward()
    gradients = dict(packed.decoder.named_parameters())
    for name, parameter in plain.named_parameters():
        torch.testing.assert_close(gradients[name].grad, parameter.grad, atol=1e-6, rtol=1e-5, msg=name)


@pytest.mark.parametrize("tied", [True, False])
def test_a_frozen_embedding_learns_the_control_tokens_and_nothing_else(tied: bool):
    rows = rows_of(8)
    free, frozen = (BlockDiffusionModel(decoder(tied), NEXT_TOKEN_WEIGHT, frozen) for frozen in (False, True))
    for model in (free, frozen):
        model(**collate(rows))["loss"].backward()
    for whole, part in [(free.decoder.embedding, frozen.decoder.embedding), (free.decoder.head, frozen.decoder.head)]:
        if whole is not None:
            torch.testing.assert_close(part.rows.grad, whole.weight.grad[part.numbers], atol=1e-9, rtol=1e-6)
            assert part.weight.grad is None
    layer = "decoder.layers.0.down.weight"
    torch.testing.assert_close(frozen.get_parameter(layer).grad, free.get_parameter(layer).grad)


def test_trained_rows_reach_the_weights():
    model = BlockDiffusionModel(decoder(), NEXT_TOKEN_WEIGHT, frozen_embedding=True)
    embedding = model.decoder.embedding
    assert isinstance(embedding, ControlEmbedding)
    before = embedding.weight.clone()
    with torch.no_grad():
        embedding.rows.add_(1.0)
    model.settle()
    changed = (embedding.weight != before).any(dim=1)
    assert np.flatnonzero(changed).tolist() == embedding.numbers.tolist()
    assert CONTROL.mask in embedding.numbers.tolist()


def test_a_row_without_a_canvas_has_a_loss():
    row = noisy_row(mixed_row(), 8, 0, noising(), np.random.default_rng(0))
    model = BlockDiffusionModel(decoder(), NEXT_TOKEN_WEIGHT, frozen_embedding=False)
    assert torch.isfinite(model(**collate([row]))["loss"])


def test_a_processor_is_not_given_the_padding():
    batch = collate(
        [noisy_row(mixed_row(), 8, 512, noising(draws=1), np.random.default_rng(seed)) for seed in range(2)]
    )
    model = BlockDiffusionModel(decoder(), NEXT_TOKEN_WEIGHT, frozen_embedding=False)
    lengths: list[int] = []
    model.decoder.register_forward_pre_hook(lambda _, arguments: lengths.append(arguments[0].shape[1]))
    loss = model(**batch)["loss"]
    assert lengths == [used_length(batch["documents"])] and lengths[0] < batch["tokens"].shape[1] - 256
    # Neither did it count for anything.
    more = {name: pad(batch[name], 64, NO_DOCUMENT if name == "documents" else 0) for name in IN_SEQUENCE}
    width = batch["tokens"].shape[1]
    places = batch["places"] // width * (width + 64) + batch["places"] % width
    assert model(**{**batch, **more, "places": places})["loss"] == loss


def pad(values: torch.Tensor, count: int, filler: int) -> torch.Tensor:
    return torch.nn.functional.pad(values, (0, count), value=filler)
