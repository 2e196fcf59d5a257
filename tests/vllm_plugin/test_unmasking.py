"""The batched policies choose what the plain ones choose, whatever the canvases."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coder.diffusion import block_diffusion
from coder.diffusion.schedules import masked_counts
from coder.diffusion.unmasking import FixedSteps, parse_policy
from coder.vllm.plugin.decoding import parse_decoding
from coder.vllm.plugin.unmasking import choose_slots

POLICIES = [
    "threshold:0.9",
    "threshold:0.3",
    "factor",
    "factor:0.4",
    "entropy:0.1",
    "entropy:2",
    "fixed:3",
    "fixed:5:cosine",
]
SLOTS = 8


@st.composite
def canvases(draw):
    """A policy, and what a pass said of each slot. Ties are common."""
    numbers = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.9, 0.95, 1.0]), min_size=SLOTS, max_size=SLOTS)
    marks = st.lists(st.booleans(), min_size=SLOTS, max_size=SLOTS)
    return (
        draw(st.sampled_from(POLICIES)),
        draw(numbers),
        draw(numbers),
        draw(marks),
        draw(marks),
        draw(st.integers(0, 6)),
    )


@given(st.lists(canvases(), min_size=1, max_size=6))
@settings(max_examples=100)
def test_a_batch_chooses_what_each_canvas_would_alone(batch):
    kinds, parameters, quotas, expected = [], [], [], []
    for text, confidence, entropy, ends, masked, step in batch:
        decoding, policy = parse_decoding({"policy": text}, SLOTS), parse_policy(text, leftmost=True)
        where = np.flatnonzero(masked)
        still = 0
        if isinstance(policy, FixedSteps):
            still = int(masked_counts(policy.schedule, SLOTS, policy.steps)[min(step + 1, policy.steps)])
        kinds.append(int(decoding.kind))
        parameters.append(decoding.parameter)
        quotas.append(len(where) - still)
        chosen = np.zeros(SLOTS, bool)
        if len(where):
            arrays = np.asarray(confidence, np.float32)[where], np.asarray(entropy, np.float32)[where]
            chosen[where[block_diffusion.choose_slots(policy, *arrays, np.asarray(ends)[where], step, SLOTS)]] = True
        expected.append(chosen)
    _, confidence, entropy, ends, masked, _ = zip(*batch, strict=True)
    ours = choose_slots(
        torch.tensor(confidence),
        torch.tensor(entropy),
        torch.tensor(ends),
        torch.tensor(masked),
        torch.tensor(kinds),
        torch.tensor(parameters, dtype=torch.float64),
        torch.tensor(quotas),
    )
    assert ours.tolist() == np.array(expected).tolist()
