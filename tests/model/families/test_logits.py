"""The logits of every family are those of `transformers` with the same attention mask, cached or not."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from coder.model.checkpoint.checkpoint import Checkpoint  # noqa: E402
from coder.model.checkpoint.opening import open_checkpoint  # noqa: E402
from coder.model.runtime import Pass  # noqa: E402
from coder.model.torch.runtime import TorchRuntime  # noqa: E402
from tests.families import PUBLISHED, write_family_checkpoint  # noqa: E402
from tests.family_reference import Reference, block_mask  # noqa: E402

TOLERANCE = 1e-4

TOKENS = np.random.default_rng(0).integers(0, 256, 96).tolist()

NAMES = {"a2d-qwen3 as blocks": "a2d-qwen3", **{family: family for family in PUBLISHED}}
BLOCKED = ["sdar", "fast-dllm-v2", "a2d-qwen3 as blocks"]
FULL = [name for name in NAMES if name not in BLOCKED]


class Both:
    """A family's checkpoint in our runtime and in transformers."""

    def __init__(self, folder: Path, name: str) -> None:
        family = NAMES[name]
        path = folder / ("bd3lm" if name.endswith("blocks") else family)
        write_family_checkpoint(path, family)
        self.checkpoint: Checkpoint = open_checkpoint(str(path))
        self.runtime = TorchRuntime.load(self.checkpoint, device="cpu")
        self.reference = Reference(path, family, torch.float32)

    @property
    def block(self) -> int | None:
        return self.runtime.config.attention.block_size


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Both]:
    return lru_cache(lambda name: Both(tmp_path_factory.mktemp("family"), name))


@pytest.fixture(params=NAMES)
def both(request: pytest.FixtureRequest, opened: Callable[[str], Both]) -> Both:
    return opened(request.param)


@pytest.fixture(params=FULL)
def full(request: pytest.FixtureRequest, opened: Callable[[str], Both]) -> Both:
    return opened(request.param)


@pytest.fixture(params=BLOCKED)
def blocked(request: pytest.FixtureRequest, opened: Callable[[str], Both]) -> Both:
    return opened(request.param)


def close(actual: object, expected: object) -> None:
    torch.testing.assert_close(actual, expected, atol=TOLERANCE, rtol=TOLERANCE)


def test_of_a_canvas_that_is_all_there_is(both: Both):
    """Everything sees everything, as in the published models of full attention."""
    request = Pass(TOKENS, wanted=range(len(TOKENS)), causal=False)
    close(both.runtime.logits(both.runtime.new_cache(), request), both.reference.logits(TOKENS))


def test_of_a_context(both: Both):
    """What the family's pattern lets each token see."""
    request = Pass(TOKENS, wanted=range(len(TOKENS)))
    mask = block_mask(len(TOKENS), both.block or len(TOKENS))
    close(both.runtime.logits(both.runtime.new_cache(), request), both.reference.logits(TOKENS, mask))


def test_of_blocks_over_a_cache(blocked: Both):
    both, block = blocked, blocked.block
    assert block is not None
    cache = both.runtime.new_cache()
    both.runtime.forward(cache, Pass(TOKENS[:block], commit=block))
    both.runtime.forward(cache, Pass(TOKENS[block:-block], commit=len(TOKENS) - 2 * block))
    found = both.runtime.logits(cache, Pass(TOKENS[-block:], wanted=range(block), causal=False))
    expected = both.reference.logits(TOKENS, block_mask(len(TOKENS), block))
    close(found, expected[-block:])


def test_of_an_approximate_pass_over_what_has_not_changed(full: Both):
    """Keys and values that another pass left are exact as long as nothing else is in their place."""
    cache = full.runtime.new_cache()
    everything = full.runtime.logits(cache, Pass(TOKENS, wanted=range(len(TOKENS)), causal=False))
    part = Pass(TOKENS[10:20], wanted=range(10), causal=False, start=10, visible=len(TOKENS))
    close(full.runtime.logits(cache, part), everything[10:20])


def test_of_guided_passes(both: Both):
    """u + (s + 1) (l - u), as LLaDA's `generate` has it."""
    mask = both.runtime.config.control.mask
    hidden = [mask] * 10 + TOKENS[10:]
    request = Pass(TOKENS, wanted=[12], causal=False, unconditional=hidden, guidance=1.5)
    given, unconditional = both.reference.logits(TOKENS)[12], both.reference.logits(hidden)[12]
    expected = unconditional + 2.5 * (given - unconditional)
    torch.testing.assert_close(
        both.runtime.logits(both.runtime.new_cache(), request)[0], expected, atol=5 * TOLERANCE, rtol=TOLERANCE
    )


def test_a_part_of_a_block_cannot_be_cached(both: Both):
    size = 3 if both.block is None else both.block - 1
    with pytest.raises(ValueError, match="no whole blocks"):
        both.runtime.forward(both.runtime.new_cache(), Pass(TOKENS[:size], commit=size))


def test_a_cache_is_cut_to_whole_blocks(blocked: Both):
    block = blocked.block
    assert block is not None
    cache = blocked.runtime.new_cache()
    blocked.runtime.forward(cache, Pass(TOKENS[: 2 * block], commit=2 * block))
    assert cache.copy_prefix(2 * block - 1).tokens == TOKENS[:block]
    cache.truncate(2 * block - 1)
    assert cache.tokens == TOKENS[:block]


def test_requests_in_one_batch_are_as_if_alone(both: Both):
    requests = [Pass(TOKENS[:20], wanted=[3], causal=False), Pass(TOKENS[5:40], wanted=[1, 7], causal=False)]
    together = both.runtime.forward_batch([both.runtime.new_cache() for _ in requests], requests)
    for found, request in zip(together, requests, strict=True):
        alone = both.runtime.forward(both.runtime.new_cache(), request)
        np.testing.assert_allclose(found.probabilities, alone.probabilities, atol=TOLERANCE)
