"""Stretched rotary positions are those of `transformers`."""

from __future__ import annotations

import numpy as np
import pytest

from coder.errors import CheckpointError
from coder.model.checkpoint.rope import RopeScaling

transformers = pytest.importorskip("transformers")

KINDS = [
    {"rope_type": "default"},
    {"rope_type": "linear", "factor": 4.0},
    {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 1024,
    },
    {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 2048},
    {"rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": 512, "attention_factor": 1.1},
]


@pytest.mark.parametrize("settings", KINDS, ids=lambda settings: settings["rope_type"])
def test_frequencies_and_amplitude(settings: dict[str, object]):
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

    config = transformers.LlamaConfig(
        hidden_size=128,
        num_attention_heads=2,
        max_position_embeddings=8192,
        rope_parameters={"rope_theta": 500000.0, **settings},
    )
    expected = LlamaRotaryEmbedding(config)
    scaling = RopeScaling.of(settings, 8192)
    np.testing.assert_allclose(scaling.frequencies(500000.0, 64), expected.inv_freq.numpy(), rtol=1e-5)
    assert scaling.amplitude == pytest.approx(expected.attention_scaling)


def test_the_older_name_of_the_kind():
    assert RopeScaling.of({"type": "linear", "factor": 2.0}, 512).kind == "linear"


@pytest.mark.parametrize(
    "settings", [{"rope_type": "dynamic", "factor": 2.0}, {"rope_type": "linear", "factor": "two"}]
)
def test_what_is_unknown_or_no_number_is_said(settings: dict[str, object]):
    with pytest.raises(CheckpointError, match="RoPE"):
        RopeScaling.of(settings, 512)
