"""`config.json` is read with Hugging Face's defaults, and every contradiction is named."""

from __future__ import annotations

from typing import Any

import pytest

from coder.errors import CheckpointError
from coder.model.checkpoint.config import Abilities, ControlTokens, DecodingProfile, ModelConfig
from tests.tiny import tiny_settings

CONTROL = ControlTokens(0, 6, 7, 2, 4, 3, 0, 8, 9, 10, 11, 1, all=tuple(range(16)))


def settings(**changes: Any) -> dict[str, Any]:
    return tiny_settings(vocab_size=320) | changes


def quickfill(**changes: Any) -> dict[str, Any]:
    original = settings()
    return original | {"quickfill": original["quickfill"] | changes}


def without(field: str) -> dict[str, Any]:
    return {name: value for name, value in settings().items() if name != field}


def test_reads_every_field():
    config = ModelConfig.from_json(settings(), CONTROL)
    assert config == ModelConfig(
        version="tiny",
        hidden_size=32,
        intermediate_size=48,
        num_layers=2,
        num_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        vocab_size=320,
        max_positions=512,
        rope_theta=10000.0,
        norm_epsilon=1e-5,
        tied_embeddings=True,
        block_sizes=(4, 8),
        abilities=Abilities(),
        decoding=(),
        control=CONTROL,
    )


def test_abilities_are_read_by_name():
    abilities = {"edits": True, "holes": False}
    assert ModelConfig.from_json(quickfill(abilities=abilities), CONTROL).abilities == Abilities(edits=True)


def test_decoding_profiles_are_read_in_order():
    profiles = [
        {"policy": name, "canvas_size": size, "canvas_passes_per_token": 0.5, "commit_passes_per_token": 0.25}
        for name, size in (("threshold:0.9", 8), ("verified", 16))
    ]
    expected = (DecodingProfile("threshold:0.9", 8, 0.5, 0.25), DecodingProfile("verified", 16, 0.5, 0.25))
    assert ModelConfig.from_json(quickfill(decoding=profiles), CONTROL).decoding == expected


def test_absent_fields_get_the_defaults_of_llama():
    optional = ("num_key_value_heads", "head_dim", "rope_theta", "rms_norm_eps", "tie_word_embeddings", "architectures")
    required = {name: value for name, value in settings().items() if name not in optional}
    config = ModelConfig.from_json(required, CONTROL)
    assert (config.num_key_value_heads, config.head_dim) == (4, 8)
    assert (config.rope_theta, config.norm_epsilon, config.tied_embeddings) == (10_000.0, 1e-6, False)


def test_the_rotary_base_may_stand_where_newer_files_have_it():
    newer = without("rope_theta") | {"rope_parameters": {"rope_type": "default", "rope_theta": 5e5}}
    assert ModelConfig.from_json(newer, CONTROL).rope_theta == 5e5


@pytest.mark.parametrize(
    ("config", "named"),
    [
        (settings(model_type="gpt2"), "model_type"),
        (settings(architectures=["LlamaForTokenClassification"]), "architectures"),
        (settings(use_sliding_window=True), "use_sliding_window"),
        (settings(attention_bias="yes"), "attention_bias"),
        (settings(hidden_act="gelu"), "hidden_act"),
        (settings(rope_scaling={"type": "linear", "factor": 2.0}), "rope_scaling"),
        (settings(rope_parameters={"rope_type": "llama3", "rope_theta": 5e5}), "rope_parameters"),
        (settings(rope_parameters={"partial_rotary_factor": 0.5}), "rope_parameters"),
        (settings(rope_scaling="linear"), "rope_scaling"),
        (settings(rope_theta=-1.0), "rope_theta"),
        (settings(rms_norm_eps=float("nan")), "rms_norm_eps"),
        (settings(hidden_size=0), "hidden_size"),
        (settings(num_hidden_layers="30"), "num_hidden_layers"),
        (settings(intermediate_size=True), "intermediate_size"),
        (without("vocab_size"), "vocab_size"),
        (settings(num_key_value_heads=3), "num_key_value_heads"),
        (settings(head_dim=7), "head_dim"),
        (settings(vocab_size=15), "vocab_size"),
        (settings(tie_word_embeddings="yes"), "tie_word_embeddings"),
        (without("quickfill"), "ordinary autoregressive checkpoint"),
        (quickfill(shift=False), "quickfill.shift"),
        (quickfill(block_sizes=[]), "quickfill.block_sizes"),
        (quickfill(block_sizes=[8, True]), "quickfill.block_sizes"),
        (quickfill(block_sizes=8), "quickfill.block_sizes"),
        (quickfill(abilities=["holes"]), "quickfill.abilities"),
        (quickfill(decoding="verified"), "quickfill.decoding"),
        (quickfill(decoding=[{"policy": "verified"}]), "canvas_size"),
        (quickfill(abilities={"holes": 1}), "holes"),
        (quickfill(mask_token_id=14), "quickfill.mask_token_id"),
        (quickfill(fim_end_id=None), "quickfill.fim_end_id"),
        (settings(quickfill={"block_sizes": [8]}), "quickfill.mask_token_id"),
    ],
)
def test_what_cannot_be_run_is_refused_by_name(config: dict[str, Any], named: str):
    with pytest.raises(CheckpointError, match=named):
        ModelConfig.from_json(config, CONTROL)
