"""Published models are decoded as they were published: the same tokens as the loops of their authors, for 50 prompts.

Both sides compute in float64, so that no two candidates are as good as equal by rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from transformers import DynamicCache  # noqa: E402

from coder.diffusion.events import Committed, Finished, Step  # noqa: E402
from coder.diffusion.run import DenoiseRequest, Sampler  # noqa: E402
from coder.diffusion.whole_canvas import parse_published  # noqa: E402
from coder.errors import InputError  # noqa: E402
from coder.model.checkpoint.opening import open_checkpoint  # noqa: E402
from coder.model.torch.decoder import Decoder  # noqa: E402
from coder.model.torch.runtime import TorchRuntime  # noqa: E402
from tests.diffusion import published_loops as loops  # noqa: E402
from tests.families import write_family_checkpoint  # noqa: E402
from tests.family_reference import Reference, Tensor, block_mask  # noqa: E402

PROMPTS = 50
LENGTH = 8


class Both:
    """A family's checkpoint in our runtime and in transformers, in float64, with rotary positions alike to the bit."""

    def __init__(self, folder: Path, family: str, name: str, options: str = "") -> None:
        path = write_family_checkpoint(folder / name, family)
        checkpoint = open_checkpoint(f"{path}{options}")
        self.config = checkpoint.config
        self.runtime = TorchRuntime(Decoder.from_checkpoint(checkpoint, torch.device("cpu"), torch.float64))
        self.reference = Reference(path, family, torch.float64)
        frequencies = self.config.rope.frequencies(self.config.rope_theta, self.config.head_dim)
        self.reference.module.model.rotary_emb.inv_freq = torch.tensor(frequencies, dtype=torch.float32)

    @property
    def mask(self) -> int:
        return self.config.control.mask

    @property
    def ends(self) -> tuple[int, ...]:
        assert self.config.denoiser is not None
        return self.config.denoiser.ends

    def predict(self, tokens: list[int], allowed: tuple[int, ...] = ()) -> Tensor:
        """What a loop asks: the reference's logits, with control tokens ruled out but for ends and `allowed` ones."""
        block = self.config.attention.block_size
        mask = None if block is None else block_mask(len(tokens), block)
        return self.ruled_out(self.reference.logits(tokens, mask), allowed)

    def ruled_out(self, logits: Tensor, allowed: tuple[int, ...] = ()) -> Tensor:
        logits = logits.float()
        logits[:, self.config.control.forbidden((*self.ends, *allowed))] = -torch.inf
        return logits

    def cached(self, old: list[int], start: int, end: int, new: list[int]) -> Tensor:
        """A pass over the keys and values that one over `old` left outside of `start` to `end`."""
        cache: Any = DynamicCache()
        self.reference.logits(old, cache=cache)
        for layer in cache.layers:
            outside = [*range(start), *range(end, len(old))]
            layer.keys, layer.values = layer.keys[:, :, outside], layer.values[:, :, outside]
        found = self.reference.logits(new, positions=torch.arange(start, end), cache=cache)
        return self.ruled_out(found)

    def decode(
        self,
        prompt: list[int],
        policy: str = "auto",
        window: int | None = None,
        length: int = LENGTH,
        suffix: Sequence[int] = (),
    ) -> list[int]:
        """What the sampler writes behind a prompt."""
        return self.run(prompt, policy, window, length, suffix)[0]

    def run(
        self, prompt: list[int], policy: str, window: int | None, length: int, suffix: Sequence[int]
    ) -> tuple[list[int], Finished, list[Step]]:
        end, *others = self.ends
        request = DenoiseRequest(
            context=prompt,
            cache=self.runtime.new_cache(),
            algorithm=parse_published(policy, self.config, window),
            end_token=end,
            also_end=tuple(others),
            max_tokens=length,
            suffix=suffix,
            guidance=self.config.denoiser.guidance if self.config.denoiser else 0.0,
        )
        written: list[int] = []
        steps: list[Step] = []
        for event in Sampler(self.runtime).denoise(request):
            match event:
                case Committed(tokens):
                    written += tokens
                case Step():
                    steps.append(event)
                case Finished():
                    return written, event, steps
        raise AssertionError("a run ends with Finished")

    def until_end(self, tokens: list[int]) -> list[int]:
        """What of a loop's tokens is the answer."""
        ends = [index for index, token in enumerate(tokens) if token in self.ends]
        return tokens[: ends[0]] if ends else tokens


def prompts(least: int = 1, most: int = 20, count: int = PROMPTS) -> list[list[int]]:
    random = np.random.default_rng(1)
    return [random.integers(0, 256, random.integers(least, most + 1)).tolist() for _ in range(count)]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Both]:
    return lru_cache(
        lambda family, name="model", options="": Both(tmp_path_factory.mktemp("family"), family, name, options)
    )


@pytest.mark.slow
@pytest.mark.parametrize("family", ["llada", "a2d-qwen2"])
@pytest.mark.parametrize("steps", [4, 3])
def test_low_confidence_remasking(both, family: str, steps: int):
    """LLaDA's `generate`, which MDLM's sampler is too where steps come out even; windows are its blocks."""
    model = both(family)
    for prompt in prompts():
        expected = loops.llada(model.predict, prompt, model.mask, LENGTH, 4, steps)
        assert model.decode(prompt, f"even:{steps}", 4) == model.until_end(expected)


def test_what_auto_is_for_llada(both):
    model = both("llada")
    for prompt in prompts(count=10):
        expected = loops.llada(model.predict, prompt, model.mask, LENGTH, LENGTH, LENGTH)
        assert model.decode(prompt) == model.until_end(expected)


@pytest.mark.parametrize("family", ["dream", "open-dcoder"])
@pytest.mark.parametrize(
    ("by", "ours"), [("entropy", "entropy"), ("maskgit_plus", "confidence"), ("topk_margin", "margin")]
)
def test_entropy_remasking_and_its_like(both, family: str, by: str, ours: str):
    """Dream's `_sample`."""
    model = both(family)
    for prompt in prompts(count=PROMPTS if by == "entropy" else 15):
        expected = loops.dream(model.predict, prompt, model.mask, LENGTH, 6, by)
        assert model.decode(prompt, f"proportional:6:{ours}") == model.until_end(expected)


@pytest.mark.slow
@pytest.mark.parametrize("threshold", [0.3, 0.9])
def test_confidence_threshold(both, threshold: float):
    """Fast-dLLM's parallel decoding, without a cache."""
    model = both("llada")
    for prompt in prompts():
        expected = loops.llada(model.predict, prompt, model.mask, LENGTH, 4, LENGTH, threshold)
        assert model.decode(prompt, f"threshold:{threshold}", 4) == model.until_end(expected)


@pytest.mark.slow
@pytest.mark.parametrize("cache", ["prefix", "dual"])
def test_approximate_caches(both, cache: str):
    """Fast-dLLM's, exactly as approximate as they are there."""
    model = both("llada", "model", f"?cache={cache}")
    exact = both("llada")
    different = 0
    for prompt in prompts(least=4):
        arguments = prompt, model.mask, LENGTH, 4, 0.9, cache == "dual"
        expected = loops.fast_dllm(model.predict, model.cached, *arguments)
        found = model.decode(prompt, "threshold:0.9", 4)
        assert found == model.until_end(expected)
        different += found != exact.decode(prompt, "threshold:0.9", 4)
    assert 0 < different < PROMPTS, "an approximation that changes nothing, or everything, is not what was meant"


def test_a_cache_is_in_the_description_of_what_ran(both):
    assert both("llada", "model", "?cache=dual").runtime.description["cache"] == "dual, approximate"
    assert "cache" not in both("llada").runtime.description


@pytest.mark.slow
def test_classifier_free_guidance(both):
    model = both("llada", "model", "?guidance=1.5")
    for prompt in prompts(count=25):
        expected = loops.llada(model.predict, prompt, model.mask, LENGTH, 4, 4, guidance=1.5)
        assert model.decode(prompt, "even:4", 4) == model.until_end(expected)


@pytest.mark.slow
def test_blocks_by_threshold(both):
    """SDAR's `block_diffusion_generate`."""
    model = both("sdar")
    for prompt in prompts():
        expected = loops.sdar(model.predict, prompt, model.mask, LENGTH, 4, 0.3)
        assert model.decode(prompt, "threshold:0.3") == model.until_end(expected)


@pytest.mark.slow
def test_blocks_one_slot_a_step(both):
    """BD3LM, for prompts of whole blocks."""
    model = both("a2d-qwen3", "bd3lm", "?block=4&window=4")
    for prompt in prompts(20, 20):
        expected = loops.blocks_one_a_step(model.predict, prompt, model.mask, LENGTH, 4)
        assert model.decode(prompt, "even") == model.until_end(expected)


@pytest.mark.slow
def test_blocks_in_parts_with_moved_outputs(both):
    """Fast-dLLM v2's `batch_sample`, over more than one block."""
    model = both("fast-dllm-v2")
    for prompt in prompts(most=30):
        expected = loops.fast_dllm_v2(model.predict, prompt, model.mask, 20, 16, 8, 0.3)
        assert model.decode(prompt, "threshold:0.3", length=20) == model.until_end(expected)


def test_expanding_and_deleting(both):
    """DreamOn's loop, in a hole."""
    model = both("dreamon")
    assert model.config.denoiser is not None and model.config.denoiser.expand is not None
    expand, end = model.config.denoiser.expand, model.ends[0]
    random = np.random.default_rng(2)
    grown, shrunk = 0, 0
    # Of random weights few wish for these tokens; with those of two others in their place, some do.
    rows = model.reference.module.lm_head.weight.data
    ours = model.runtime._decoder.head.weight.data
    for weight in (rows, ours):
        weight[expand], weight[end] = 1.3 * weight[72], 1.3 * weight[105]
    for prompt in prompts():
        suffix = random.integers(0, 256, 6).tolist()
        expected = loops.dreamon(
            lambda tokens, may: model.predict(tokens, (expand,) if may else ()),
            prompt,
            model.mask,
            expand,
            end,
            first=4,
            most=10,
            suffix=suffix,
        )
        assert model.decode(prompt, length=10, suffix=suffix) == expected
        grown, shrunk = grown + (len(expected) > 4), shrunk + (len(expected) < 4)
    assert grown and shrunk, "the test saw no canvas change"


def test_the_factor_of_the_paper(both):
    """The n most confident, for the largest n with (n + 1)(1 - c_n) < factor (Fast-dLLM, theorem 1)."""
    model = both("llada")
    for prompt in prompts(count=25):
        x = [*prompt, *[model.mask] * LENGTH]
        while model.mask in x:
            found, best = loops.probabilities(model.predict(x)).max(dim=-1)
            masked = sorted((p for p, token in enumerate(x) if token == model.mask), key=lambda p: -float(found[p]))
            count = max(
                n for n in range(len(masked) + 1) if n == 0 or (n + 1) * (1 - float(found[masked[n - 1]])) < 2.0
            )
            for position in masked[: max(1, count)]:
                x[position] = int(best[position])
        assert model.decode(prompt, "factor:2.0", LENGTH) == model.until_end(x[len(prompt) :])


class TestHoles:
    def test_a_canvas_between_two_texts_is_denoised_as_published(self, both):
        """Dream's `_sample` on a prompt with masks in its middle, as Open-dLLM and DreamOn ask it."""
        model = both("dream", "model", f"?lengths={LENGTH}")
        suffix = [70, 71, 72]
        for prompt in prompts(count=25):
            expected = loops.dream(model.predict, prompt, model.mask, LENGTH, LENGTH, "entropy", suffix)
            found = model.decode(prompt, length=LENGTH + 1, suffix=suffix)
            assert found == [token for token in expected if token not in model.ends]

    def test_of_several_lengths_the_most_confident_is_kept(self, both):
        """Each as if it had been tried alone."""
        model = both("dream", "model", "?lengths=2,4,6")
        kept = set()
        for prompt in prompts(count=20):
            alone = {}
            for size in (2, 4, 6):
                one = replace(model.config, denoiser=replace(model.config.denoiser, lengths=(size,)))
                lone = Both.__new__(Both)
                lone.config, lone.runtime = one, model.runtime
                _, finished, steps = lone.run(prompt, "even:entropy", None, 20, [70, 71])
                sure = {
                    slot: value
                    for step in steps
                    for slot, value in zip(step.newly_unmasked, step.confidences, strict=True)
                }
                alone[size] = float(np.log([sure[slot] for slot in range(size)]).mean()), steps[-1].canvas
            best = max(alone, key=lambda size: alone[size][0])
            _, finished, steps = model.run(prompt, "even:entropy", None, 20, [70, 71])
            assert steps[-1].canvas == alone[best][1]
            assert finished.statistics.canvas_passes == 12 and finished.reason == "end"
            kept.add(best)
        assert len(kept) > 1

    def test_a_known_length_is_kept(self, both):
        model = both("dream")
        end = model.ends[0]
        request = DenoiseRequest(
            context=[1, 2, 3],
            cache=model.runtime.new_cache(),
            algorithm=parse_published("auto", model.config, None),
            end_token=end,
            max_tokens=6,
            fixed={5: end},
            suffix=[7, 8],
        )
        (step, *_), *_ = [[e for e in Sampler(model.runtime).denoise(request) if isinstance(e, Step)]]
        assert len(step.canvas) == 5


@pytest.mark.parametrize("policy", ["autoregressive", "verified", "lookup:3"])
def test_what_needs_a_next_token_is_refused(both, policy: str):
    with pytest.raises(InputError, match="do not predict one token after another"):
        parse_published(policy, both("llada").config, None)


def test_a_window_that_does_not_divide_the_block_is_refused(both):
    with pytest.raises(InputError, match="cannot be cut into windows of 3"):
        parse_published("auto", both("sdar").config, 3)
