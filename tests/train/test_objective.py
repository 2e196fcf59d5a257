"""The objective against an independent one: a plain forward pass with one dense mask, and the formula written out."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from coder.errors import InputError
from coder.train.base_model import open_base
from coder.train.low_rank import changes
from coder.train.objective import TwoStreamModel
from coder.train.packed_rows import PackedDocument
from coder.train.run import prepared
from coder.train.settings import ObjectiveSettings
from coder.train.streams import Batch, Streams, collate, streams_of
from tests.train.infilling_models import CONFIGS, write_model
from tests.train.runs import settings_of

END, PREFIX, SUFFIX, MIDDLE, TURN_START, TURN_END, MASK = 0, 1, 2, 3, 6, 7, 8
"""Of the table's first family, as `write_model` makes its tokenizer."""

OBJECTIVE = ObjectiveSettings(
    canvas_sizes=(4, 8), end_weight=3.0, soft_targets=5, next_token_weight=0.7, local_weight=0.3
)


def words(count: int, seed: int) -> list[int]:
    return np.random.default_rng(seed).integers(20, 300, count).tolist()


def documents(instructed: bool = False) -> list[PackedDocument]:
    found = [
        PackedDocument([PREFIX, *words(9, 1), SUFFIX, *words(5, 2), MIDDLE], [*words(17, 3), END]),
        PackedDocument([PREFIX, SUFFIX, MIDDLE], [*words(3, 4), END]),
        PackedDocument(words(6, 5), words(20, 6)),
    ]
    return (
        [*found, PackedDocument([TURN_START, *words(7, 7)], [*words(11, 8), TURN_END], instructed=True)]
        if instructed
        else found
    )


def example(document: PackedDocument, seed: int, mask: int) -> Streams:
    return streams_of(document, (END, TURN_END), mask, OBJECTIVE, np.random.default_rng(seed))


def model_of(folder: Path, family: str = "Qwen2.5-Coder") -> TwoStreamModel:
    """A low-rank model whose changes, local autoregression and mask are all at work."""
    init = write_model(folder / "init", family)
    settings = settings_of(folder, family, model={"init": str(init)})
    model = prepared(open_base(str(init), torch.float32), settings)
    model.objective = OBJECTIVE
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))
    return model


def merged(model: TwoStreamModel, folder: Path) -> transformers.PreTrainedModel:
    """A stock model with the changes in its weights and the mask in its embedding."""
    plain = transformers.AutoModelForCausalLM.from_pretrained(folder / "init", attn_implementation="eager")
    with torch.no_grad():
        for name, change in changes(model.model):
            plain.get_submodule(name).get_parameter("weight").add_(change.scale * change.lora_B @ change.lora_A)
        plain.get_input_embeddings().get_parameter("weight")[model.mask] = model.mask_embedding
    return plain.eval()


def dense(one: Streams) -> torch.Tensor:
    """Who sees whom, place by place, as the design says it."""
    context, count = len(one.context_tokens), len(one.tokens)
    sees = torch.zeros(context + count, context + count, dtype=torch.bool)
    for row in range(context):
        sees[row, : row + 1] = True
    clean = one.canvases == -1
    for row in range(count):
        sees[context + row, :context] = True
        for column in range(count):
            earlier = bool(clean[column]) and column < one.seen[row]
            same = not clean[row] and one.canvases[column] == one.canvases[row]
            sees[context + row, context + column] = bool(earlier or same)
    return sees


@torch.no_grad()
def states(plain, one: Streams) -> torch.Tensor:
    """Last hidden states of an example's region, in one pass over everything."""
    tokens = torch.tensor([*one.context_tokens, *one.tokens])[None]
    positions = torch.tensor([*one.context_positions, *one.positions])[None]
    mask = torch.zeros(1, 1, tokens.shape[1], tokens.shape[1]).masked_fill(~dense(one), float("-inf"))
    hidden = plain.get_decoder()(tokens, attention_mask=mask, position_ids=positions).last_hidden_state[0]
    return hidden[len(one.context_tokens) :] / getattr(plain.config, "logits_scaling", 1.0)


@torch.no_grad()
def formula(model: TwoStreamModel, plain, examples: list[Streams], base=None) -> float:
    """The loss, summed place by place."""
    ours = OBJECTIVE
    # The mask's embedding is only read: a tied head keeps the row that it had.
    head = model.model.get_output_embeddings().weight.detach()
    table = plain.get_input_embeddings().weight.detach()
    unit = 1.0 / model.model.get_input_embeddings().weight[256:].float().std()
    sums, norms = np.zeros(3), np.zeros(3)
    for one in examples:
        hidden = states(plain, one)
        logs = (hidden @ head.T).log_softmax(-1)
        teaching = (states(base, one) @ head.T).log_softmax(-1) if base else logs
        taught = teaching if one.instructed[0] else logs

        def soft(place: int, values: torch.Tensor, taught: torch.Tensor = taught) -> float:
            best = taught[place].topk(ours.soft_targets)
            shares = best.values.exp() / best.values.exp().sum()
            return -float((shares * values[best.indices]).sum())

        for place, label in enumerate(one.labels.tolist()):
            weight, teacher = float(one.weights[place]), int(one.teachers[place])
            if label < 0:
                continue
            hard = float(-logs[place, label])
            if one.slots[place] == 0:
                sums[0] += weight * (soft(place, logs[place]) if one.instructed[0] else hard)
                norms[0] += weight
                continue
            slot_loss = hard if teacher < 0 else 0.5 * hard + 0.5 * soft(teacher, logs[place])
            sums[1] += weight * slot_loss
            norms[1] += weight
            if teacher >= 0:
                before = [table[token] * unit for token in one.before[place].tolist()]
                state = hidden[place]
                normed = state / state.square().mean().add(torch.finfo(torch.float32).eps).sqrt()
                local = model.local
                assert local is not None
                inner = torch.nn.functional.silu(local.W1 @ torch.cat([normed, *before]) + local.b1)
                leaned = (head @ (state + local.W2 @ inner)).log_softmax(-1)
                sums[2] += weight * (0.5 * float(-leaned[label]) + 0.5 * soft(teacher, leaned))
                norms[2] += weight
    return float((sums / norms) @ [ours.next_token_weight, 1.0, ours.local_weight])


@pytest.mark.parametrize("family", CONFIGS)
def test_the_loss_is_the_formulas_in_every_family(tmp_path: Path, family: str):
    model = model_of(tmp_path, family)
    examples = [example(document, seed, model.mask) for seed, document in enumerate(documents())]
    found = float(model(**collate(examples))["loss"].detach())
    assert found == pytest.approx(formula(model, merged(model, tmp_path), examples), rel=2e-4)


def test_where_an_instruction_is_answered_the_base_teaches(tmp_path: Path):
    model = model_of(tmp_path)
    examples = [example(document, seed, model.mask) for seed, document in enumerate(documents(instructed=True))]
    base = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "init", attn_implementation="eager").eval()
    with torch.no_grad():
        # The context has no mask, and canvases are not what the base is asked about.
        base.get_input_embeddings().get_parameter("weight")[model.mask] = model.mask_embedding
    expected = formula(model, merged(model, tmp_path), examples, base)
    assert float(model(**collate(examples))["loss"].detach()) == pytest.approx(expected, rel=2e-4)


def batch_of(seed: int = 0) -> Batch:
    return collate([example(document, seed + number, MASK) for number, document in enumerate(documents())])


def test_frozen_layers_and_what_lies_below_them_have_no_gradient(tmp_path: Path):
    init = write_model(tmp_path / "init")
    settings = settings_of(tmp_path, model={"frozen_layers": 2})
    model = prepared(open_base(str(init), torch.float32), settings)
    model(**batch_of())["loss"].backward()
    learned = {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert {name.split(".layers.")[1][0] for name in learned if ".layers." in name} == {"2"}
    assert not model.mask_embedding.requires_grad
    assert {"local.W1", "local.W2"} <= learned


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
def test_compiled_the_loss_and_its_gradient_are_the_same(tmp_path: Path):
    def learned(**run: bool) -> tuple[float, dict[str, torch.Tensor]]:
        settings = settings_of(tmp_path, run=run)
        model = prepared(open_base(settings.model.init, torch.float32), settings)
        total = 0.0
        for seed, document in enumerate(documents(instructed=True)):  # which differ in length
            loss = model(**collate([example(document, seed, MASK)]))["loss"]
            loss.backward()
            total += float(loss.detach())
        return total, {name: one.grad for name, one in model.named_parameters() if one.grad is not None}

    write_model(tmp_path / "init")
    (loss, slopes), (expected, plain) = learned(compile=True), learned()
    assert loss == pytest.approx(expected, rel=1e-4)
    assert slopes.keys() == plain.keys()
    for name, slope in slopes.items():
        torch.testing.assert_close(slope, plain[name], rtol=1e-3, atol=1e-5)


def test_compiling_without_a_compiler_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    init = write_model(tmp_path / "init")
    with pytest.raises(InputError, match="no-such-compiler"):
        prepared(open_base(str(init), torch.float32), settings_of(tmp_path, run={"compile": True}))


def test_examples_of_a_batch_never_see_each_other(tmp_path: Path):
    model = model_of(tmp_path)
    examples = [example(document, seed, model.mask) for seed, document in enumerate(documents(instructed=True))]
    with torch.no_grad():
        together = model(**collate(examples))["nats"]
        apart = torch.cat([model(**collate([one]))["nats"] for one in examples])
    torch.testing.assert_close(together, apart, equal_nan=True, rtol=1e-4, atol=1e-4)


def test_a_gradient_through_the_context_is_the_whole_one(tmp_path: Path):
    """By differences: without targets that move along, the loss changes as its gradient says."""
    model = model_of(tmp_path)
    hard = replace(OBJECTIVE, soft_share=0.0, local_soft_share=0.0)
    ups = [change.lora_B for _, change in changes(model.model)]

    def gradient(whole: bool) -> torch.Tensor:
        model.objective = replace(hard, context_gradient=whole)
        model.zero_grad()
        model(**batch_of())["loss"].backward()
        return torch.cat([torch.zeros_like(up).flatten() if up.grad is None else up.grad.flatten() for up in ups])

    @torch.no_grad()
    def loss(step: torch.Tensor) -> float:
        for up, part in zip(ups, step.split([up.numel() for up in ups]), strict=True):
            up.add_(part.view_as(up))
        found = float(model(**batch_of())["loss"])
        for up, part in zip(ups, step.split([up.numel() for up in ups]), strict=True):
            up.sub_(part.view_as(up))
        return found

    through, without = gradient(whole=True), gradient(whole=False)
    steepest = through / through.norm()
    measured = (loss(0.002 * steepest) - loss(-0.002 * steepest)) / 0.004
    assert float(through @ steepest) == pytest.approx(measured, rel=0.02)
    assert float(without @ steepest) != pytest.approx(measured, rel=0.02)
