"""The workspace's say: where it leans, where it is silent, and that it changes no promise of the decoding methods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coder.context.ngram_index import NgramIndex
from coder.diffusion.block_diffusion import Autoregressive, Lookup, Verified
from coder.diffusion.events import Committed, Finished
from coder.diffusion.run import DecodingAlgorithm, DenoiseRequest, Sampler
from coder.generation import workspace_guide
from coder.generation.workspace_guide import STRENGTH, WorkspaceGuide
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.tokens import Tokenizer, infill
from coder.model.onnx.runtime import OnnxRuntime
from coder.model.runtime import TokenBias
from tests.tiny import open_tiny_checkpoint, write_tiny_tokenizer

CODE = """\
def total(first, second):
    return first + second


def mean(first, second):
    return total(first, second) / 2
"""


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    file = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    write_tiny_tokenizer(file)
    return Tokenizer(file)


def guide_of(tokenizer: Tokenizer, suffix: str = "", texts: Mapping[str, str] | None = None) -> WorkspaceGuide:
    return WorkspaceGuide(NgramIndex().with_files(texts or {"a.py": CODE}), tokenizer, suffix)


def leaned(bias: TokenBias, tokenizer: Tokenizer) -> dict[str, float]:
    """The texts that the first row leans to."""
    return {
        "END" if token == tokenizer.control.fim_end else tokenizer.decode([token]): value
        for row, token, value in rows_of(bias)
        if row == 0
    }


def rows_of(bias: TokenBias) -> list[tuple[int, int, float]]:
    return list(zip(bias.rows.tolist(), bias.tokens.tolist(), bias.values.tolist(), strict=True))


def ask(guide: WorkspaceGuide, tokenizer: Tokenizer, before: str) -> dict[str, float]:
    settled = infill(tokenizer.control, [], [], written=tokenizer.encode(before))
    return leaned(guide.bias(settled, np.zeros(0, np.int64), np.zeros(1, np.int64)), tokenizer)


def test_the_token_that_followed_the_same_words_is_leaned_to(tokenizer: Tokenizer):
    (token, value), *_ = ask(guide_of(tokenizer), tokenizer, "x = total(fir").items()
    assert "st".startswith(token)
    assert 0.0 < value < np.log1p(STRENGTH)


def test_the_longer_the_same_words_the_stronger(tokenizer: Tokenizer):
    short = ask(guide_of(tokenizer), tokenizer, "x(first,")
    long = ask(guide_of(tokenizer), tokenizer, "def total(first,")
    assert max(long.values()) > max(short.values())


@pytest.mark.parametrize("before", ["", "nothing like it", "\n", "first"])
def test_without_the_same_words_nothing_is_leaned_to(tokenizer: Tokenizer, before: str):
    assert ask(guide_of(tokenizer), tokenizer, before) == {}


def test_a_word_begun_before_the_hole_is_finished_whatever_stands_before_it(tokenizer: Tokenizer):
    index = NgramIndex().with_files({"a.py": CODE + "sec = 1\nsecure = 1\n"})
    guide = WorkspaceGuide(index, tokenizer, "", begun="seco")
    (token,) = ask(guide, tokenizer, "never(seen, seco")
    assert "nd".startswith(token)
    assert ask(guide, tokenizer, "never(seen, total") == {}
    assert ask(WorkspaceGuide(index, tokenizer, "", begun="sec"), tokenizer, "never(seen, secu") == {}


def test_a_word_that_is_whole_mostly_stays_so(tokenizer: Tokenizer):
    index = NgramIndex().with_files({"a.py": "count = 1\n" * 30 + "counter = 1\n"})
    (value,) = ask(WorkspaceGuide(index, tokenizer, "", begun="coun"), tokenizer, "never(seen, count").values()
    (surer,) = ask(WorkspaceGuide(index, tokenizer, "", begun="coun"), tokenizer, "never(seen, coun").values()
    assert value < 1.0 < surer


def test_an_empty_index_says_nothing(tokenizer: Tokenizer):
    guide = WorkspaceGuide(NgramIndex(), tokenizer, "")
    assert ask(guide, tokenizer, CODE) == {}
    assert guide.draft(tokenizer.encode(CODE), 8) == []


def test_the_context_ends_at_a_control_token(tokenizer: Tokenizer):
    settled = [*tokenizer.encode("def total(first,"), tokenizer.control.fim_prefix]
    assert len(guide_of(tokenizer).bias(settled, np.zeros(0, np.int64), np.zeros(1, np.int64)).rows) == 0


def test_where_the_workspace_would_go_on_with_the_suffix_the_hole_ends(tokenizer: Tokenizer):
    before = "def total(first, second"
    likeliest, *others = ask(guide_of(tokenizer, "):\n    return first - x\n"), tokenizer, before)
    assert likeliest == "END" and others == [")"], "of the other place, where something else follows"
    assert "END" not in ask(guide_of(tokenizer, "\n"), tokenizer, before)


def test_where_only_the_line_ends_alike_the_workspace_leaves_it_open(tokenizer: Tokenizer):
    before = "    return first + second"
    assert ask(guide_of(tokenizer, "\n\n\nclass Other:\n"), tokenizer, before) == {}
    assert ask(guide_of(tokenizer, ""), tokenizer, before) != {}


def test_a_draft_is_what_the_workspace_goes_on_with_up_to_the_suffix(tokenizer: Tokenizer):
    settled = tokenizer.encode("def total(")
    assert tokenizer.decode(guide_of(tokenizer).draft(settled, 64)).startswith("first, second):\n    return first")
    assert tokenizer.decode(guide_of(tokenizer, "):\n    return first").draft(settled, 64)) == "first, second"
    assert guide_of(tokenizer).draft(settled, 3) == tokenizer.encode("first, second")[:3]


def test_a_draft_goes_as_far_as_half_of_the_places_agree(tokenizer: Tokenizer):
    texts = {"a.py": "f(one, 2)\n", "b.py": "f(one, 3)\n", "c.py": "f(one, 4)\n"}
    draft = guide_of(tokenizer, texts=texts).draft(tokenizer.encode("f("), 16)
    assert tokenizer.decode(draft).strip() == "one,"


def test_behind_a_masked_slot_the_workspaces_own_continuation_is_followed(tokenizer: Tokenizer):
    guide, mask = guide_of(tokenizer), tokenizer.control.mask
    settled = tokenizer.encode("def total(")
    text = guide.draft(settled, 6)
    masked = guide.bias(settled, np.full(6, mask), np.arange(6))
    ahead = [(token, value) for row, token, value in rows_of(masked) if row > 0]
    assert [token for token, _ in ahead] == text[1:]
    values = [value for _, value in ahead]
    assert values == sorted(values, reverse=True) and values[0] > values[-1], "the further, the less sure"
    agreeing, differing = np.full(6, mask), np.full(6, mask)
    agreeing[2], differing[2] = text[2], tokenizer.encode("x")[0]
    slots = np.array([0, 1, 3, 4, 5])
    agreed = guide.bias(settled, agreeing, slots)
    assert set(agreed.rows.tolist()) == {0, 1, 2, 3, 4}
    assert {row: value for row, _, value in rows_of(agreed)}[2] > values[2], "what came true is a better guide"
    assert set(guide.bias(settled, differing, slots).rows.tolist()) == {0, 1}


@given(st.integers(0, len(CODE) - 1), st.integers(0, len(CODE)), st.integers(0, 12))
def test_what_is_said_of_a_draft_is_what_is_said_when_it_has_settled(
    tokenizer_of_laws, start: int, end: int, size: int
):
    tokenizer = tokenizer_of_laws
    guide = guide_of(tokenizer, "\n")
    settled, draft = tokenizer.encode(CODE[start:end]), np.array(tokenizer.encode(CODE[end:])[:size], np.int64)
    together = guide.bias(settled, draft, np.arange(len(draft) + 1))
    for place in range(len(draft) + 1):
        alone = guide.bias([*settled, *draft[:place].tolist()], np.zeros(0, np.int64), np.zeros(1, np.int64))
        rows = together.rows == place
        assert together.tokens[rows].tolist() == alone.tokens.tolist()
        assert together.values[rows].tolist() == alone.values.tolist()


@pytest.fixture(scope="module")
def tokenizer_of_laws(tokenizer: Tokenizer) -> Tokenizer:
    return tokenizer


@given(st.text(max_size=30), st.text(max_size=10))
@settings(max_examples=50)
def test_any_text_may_surround_a_hole(tokenizer_of_laws, before: str, suffix: str):
    guide = guide_of(tokenizer_of_laws, suffix, {"a.py": before + suffix})
    settled = tokenizer_of_laws.encode(before + before)
    bias = guide.bias(settled, np.zeros(0, np.int64), np.zeros(1, np.int64))
    assert (bias.values > 0).all() and np.isfinite(bias.values).all()
    allowed = {tokenizer_of_laws.control.fim_end, *tokenizer_of_laws.ids} - set(tokenizer_of_laws.control.all)
    assert set(bias.tokens.tolist()) <= allowed | {tokenizer_of_laws.control.fim_end}
    assert not set(guide.draft(settled, 8)) & set(tokenizer_of_laws.control.all)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder: Path = tmp_path_factory.mktemp("tiny")
    return open_tiny_checkpoint(folder)


def continuation(
    runtime: OnnxRuntime, prompt: list[int], algorithm: DecodingAlgorithm, guides: tuple[WorkspaceGuide, ...]
) -> tuple[list[int], int]:
    end = runtime.config.control.fim_end
    cache_ = runtime.new_cache()
    request = DenoiseRequest(prompt, cache_, algorithm, end, 20, guides=guides, drafters=guides)
    events = list(Sampler(runtime).denoise(request))
    finished = events[-1]
    assert isinstance(finished, Finished)
    output = [token for event in events if isinstance(event, Committed) for token in event.tokens]
    return output, finished.statistics.decode_passes


def prompts_of_the_workspace(tokenizer: Tokenizer) -> Iterator[list[int]]:
    """Ten beginnings of what the workspace holds, so that it has something to say of each."""
    for cut in range(20, 120, 10):
        yield infill(tokenizer.control, [], tokenizer.encode("\n"), written=tokenizer.encode(CODE[:cut]))


def test_verified_decoding_with_a_guide_is_autoregressive_decoding_with_it(
    tiny: Checkpoint, monkeypatch: pytest.MonkeyPatch
):
    """In int8 a pass gives the same bits however wide it is, so not even a tie may differ."""
    monkeypatch.setattr(workspace_guide, "STRENGTH", 1000.0)  # untrained, it is sure of other tokens
    runtime = OnnxRuntime.load(tiny, threads=1, weight_bits=8)
    guides = (guide_of(tiny.tokenizer, "\n"),)
    changed = saved = 0
    for index, prompt in enumerate(prompts_of_the_workspace(tiny.tokenizer)):
        greedy, passes = continuation(runtime, prompt, Autoregressive(), guides)
        size = 1 + index % 12
        for algorithm in (Verified(size), Lookup(size)):
            assert continuation(runtime, prompt, algorithm, guides)[0] == greedy
        changed += greedy != continuation(runtime, prompt, Autoregressive(), ())[0]
        saved += passes - continuation(runtime, prompt, Lookup(size), guides)[1]
    assert changed >= 5, "the guide must matter for this to mean anything"
    assert saved > 10, "and so must its drafts"
