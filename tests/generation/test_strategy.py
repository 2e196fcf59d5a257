"""The policy `auto` takes the cheapest of the equally good methods, and never one slower than a token a pass."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.generation.strategy import WIDTHS, PassCosts, choose_policy, milliseconds_per_token
from coder.model.checkpoint.config import DecodingProfile, ModelConfig
from coder.model.onnx.runtime import OnnxRuntime
from tests.tiny import open_tiny_checkpoint

FLAT = PassCosts(dict.fromkeys(WIDTHS, 10.0))
STEEP = PassCosts({width: 10.0 * width for width in WIDTHS})
VERIFIED = DecodingProfile("verified", 8, 0.4, 0.4)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> ModelConfig:
    return open_tiny_checkpoint(tmp_path_factory.mktemp("tiny")).config


def test_without_a_card_it_is_autoregressive(config: ModelConfig):
    assert choose_policy(config, FLAT)[0] == "autoregressive"


def test_where_a_canvas_costs_as_much_as_a_token_drafts_win(config: ModelConfig):
    assert choose_policy(replace(config, decoding=(VERIFIED,)), FLAT) == ("verified", 8)


def test_where_width_costs_they_do_not(config: ModelConfig):
    assert choose_policy(replace(config, decoding=(VERIFIED,)), STEEP)[0] == "autoregressive"


def test_a_wanted_canvas_size_is_kept(config: ModelConfig):
    profiles = (VERIFIED, DecodingProfile("threshold:0.9", 16, 0.1, 0.1))
    assert choose_policy(replace(config, decoding=profiles), FLAT, canvas_size=8) == ("verified", 8)
    assert choose_policy(replace(config, decoding=profiles), FLAT) == ("threshold:0.9", 16)


@given(
    costs=st.lists(st.floats(0.1, 100), min_size=len(WIDTHS), max_size=len(WIDTHS)).map(sorted),
    passes=st.floats(0.05, 1.0),
    size=st.sampled_from([2, 4, 8, 16, 32]),
)
def test_it_is_never_slower_than_a_token_a_pass(config: ModelConfig, costs: list[float], passes: float, size: int):
    measured = PassCosts(dict(zip(WIDTHS, costs, strict=True)))
    profile = DecodingProfile("verified", size, passes, passes)
    chosen, _ = choose_policy(replace(config, decoding=(profile,)), measured)
    one_token = measured.of_width(1)
    expected = milliseconds_per_token(profile, measured)
    assert (chosen == "verified") == (expected < one_token)


@given(st.integers(1, 80))
def test_costs_between_the_measured_widths_are_between_the_measured_costs(width: int):
    assert STEEP.of_width(width) == pytest.approx(10.0 * width)


def test_costs_are_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / name))
    runtime = OnnxRuntime.load(open_tiny_checkpoint(tmp_path / "tiny"), threads=1)
    measured = PassCosts.of(runtime)
    assert sorted(measured.milliseconds) == list(WIDTHS)
    monkeypatch.setattr("coder.generation.strategy.measure_passes", lambda runtime: pytest.fail("measured again"))
    assert PassCosts.of(runtime) == measured


def test_a_damaged_memory_of_costs_is_measured_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / name))
    runtime = OnnxRuntime.load(open_tiny_checkpoint(tmp_path / "tiny"), threads=1)
    (tmp_path / "quickfill").mkdir()
    (tmp_path / "quickfill" / "pass-costs.json").write_text('["nonsense"')
    assert sorted(PassCosts.of(runtime).milliseconds) == list(WIDTHS)
