"""The engine: text in, text out, whatever the threads around it do."""

from __future__ import annotations

import string
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, Decoding, Shape, Where
from coder.api.text_requests import FillRequest
from coder.diffusion.events import Stopped, TimeLimits
from coder.engine.engine import Engine
from coder.errors import InputError
from coder.generation.decoding import complete_lines
from coder.generation.strategy import default_canvas_size
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.onnx.runtime import OnnxRuntime
from coder.model.runtime import Cache, Pass, Predictions, Runtime
from tests.tiny import write_tiny_checkpoint

POLICIES = ["auto", "autoregressive", "verified", "threshold:0.9", "factor", "entropy", "fixed"]
ENDLESS = Decoding(policy="autoregressive", max_tokens=400, temperature=1.0, seed=1)
PREFIX, SUFFIX = "def add(first, second):\n    ", "\n\nclass Point:\n"


class SlowRuntime(OnnxRuntime):
    """Takes its time for every pass and counts them."""

    passes = 0
    positions = 0
    seconds = 0.05
    seconds_per_token = 0.0

    def forward(self, cache: Cache, request: Pass) -> Predictions:
        SlowRuntime.passes += 1
        SlowRuntime.positions += len(request.tokens)
        time.sleep(SlowRuntime.seconds + SlowRuntime.seconds_per_token * len(request.tokens))
        return super().forward(cache, request)


@pytest.fixture
def slow(engine: Engine, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(runtime, "__class__", SlowRuntime)
    SlowRuntime.passes, SlowRuntime.seconds, SlowRuntime.seconds_per_token = 0, 0.05, 0.0
    return engine


@pytest.mark.parametrize("policy", POLICIES)
def test_a_stream_is_updates_and_then_one_completion(engine: Engine, policy: str):
    *updates, completion = engine.stream(
        CompletionRequest(PREFIX, SUFFIX, decoding=Decoding(policy=policy, max_tokens=20))
    )
    assert isinstance(completion, Completion)
    assert updates and all(isinstance(update, CanvasUpdate) for update in updates)
    assert completion.finish_reason in ("end", "length")
    assert completion.tokens <= 20
    assert completion.passes == completion.statistics.canvas_passes + completion.statistics.commit_passes
    assert "<|" not in completion.text


def test_settled_text_only_grows_and_ends_as_the_completion(engine: Engine):
    request = CompletionRequest(PREFIX, SUFFIX, decoding=Decoding(policy="threshold:0.3", max_tokens=30))
    *updates, completion = engine.stream(request)
    assert isinstance(completion, Completion)
    settled = [update.settled for update in updates if isinstance(update, CanvasUpdate)]
    assert all(later.startswith(earlier.removesuffix("\ufffd")) for earlier, later in pairwise(settled))
    assert settled[-1] == completion.text
    *_, last = [update for update in updates if isinstance(update, CanvasUpdate)]
    assert last.confidence == pytest.approx(completion.confidence)


def test_greedy_completions_repeat_with_and_without_a_warm_cache(engine: Engine, tiny: Path):
    request = CompletionRequest(PREFIX, SUFFIX, decoding=Decoding(policy="autoregressive", max_tokens=15))
    first = engine.complete(request)
    engine.complete(CompletionRequest("something = else", "", decoding=Decoding(policy="threshold", max_tokens=5)))
    again = engine.complete(request)
    fresh = Engine.load(str(tiny), runtime="onnx", threads=1)
    assert first.text == again.text == fresh.complete(request).text
    assert again.statistics.prefill_passes == 0
    fresh.close()


def test_verified_equals_autoregressive(engine: Engine):
    texts = {
        engine.complete(
            CompletionRequest(PREFIX, SUFFIX, decoding=Decoding(policy=policy, canvas_size=size, max_tokens=25))
        ).text
        for policy, size in (("autoregressive", None), ("verified", 4), ("verified", 8))
    }
    assert len(texts) == 1


def test_several_samples_are_different_and_seeded(engine: Engine):
    request = CompletionRequest(PREFIX, SUFFIX, samples=3, decoding=Decoding(seed=5, max_tokens=8))
    first, second = engine.complete(request), engine.complete(request)
    texts = [first.text, *(other.text for other in first.alternatives)]
    assert len(texts) == len(set(texts)) == 3
    assert texts == [second.text, *(other.text for other in second.alternatives)]
    assert first.text == engine.complete(CompletionRequest(PREFIX, SUFFIX, decoding=Decoding(max_tokens=8))).text
    confidences = [other.confidence for other in first.alternatives]
    assert confidences == sorted(confidences, reverse=True)


@pytest.fixture
def undecided(own_cache_folder: Path, tmp_path: Path) -> Iterator[Engine]:
    """An engine to whose model all tokens are about as likely, so that the workspace decides."""
    folder = write_tiny_checkpoint(tmp_path / "undecided")
    tensors = safetensors.numpy.load_file(folder / "model.safetensors")
    tensors["model.norm.weight"] *= 0.1
    safetensors.numpy.save_file(tensors, folder / "model.safetensors")
    checkpoint = open_checkpoint(str(folder))
    engine = Engine(OnnxRuntime.load(checkpoint, 1), checkpoint, str(folder))
    yield engine
    engine.close()


def test_half_a_word_is_finished_as_the_workspace_does(undecided: Engine, tmp_path: Path):
    methods = "".join(f"def check{n}(self):\n    return self.digest_method({n})\n\n\n" for n in range(20))
    (tmp_path / "signer.py").write_text(methods)
    undecided.workspace_index(str(tmp_path)).wait()
    for prefix in ("value = digest_me", "print(a, digest_me", "x.digest_m"):
        where = Where(path=str(tmp_path / "new.py"), workspace=str(tmp_path))
        request = CompletionRequest(prefix, "\n", where=where, decoding=Decoding(max_tokens=8), shape="auto")
        assert (prefix + undecided.complete(request).text).partition("digest_method")[1]


def test_a_deadline_gives_what_there_is(slow: Engine):
    request = CompletionRequest(
        PREFIX, SUFFIX, decoding=Decoding(policy="autoregressive", max_tokens=200, deadline_ms=400)
    )
    completion = slow.complete(request)
    assert completion.finish_reason == "deadline"
    assert completion.seconds > 0.3
    assert 0 < completion.tokens < 10


@pytest.mark.parametrize("suffix", ["", "  # a number"])
def test_a_file_that_takes_longer_to_read_than_there_is_time_is_read_in_part(slow: Engine, suffix: str):
    SlowRuntime.seconds, SlowRuntime.seconds_per_token = 0.0, 0.005
    slow.warm_up()
    file = "".join(f"value_{number} = {number}\n" for number in range(60))
    assert len(file) * SlowRuntime.seconds_per_token > 0.6
    request = CompletionRequest(file, suffix, decoding=Decoding(deadline_ms=600, max_tokens=64), shape="auto")
    assert slow.complete(request).tokens > 0


@pytest.mark.parametrize("shape", ["auto", "line"])
def test_a_line_of_any_length_costs_no_more_tokens_than_a_window(slow: Engine, shape: Shape):
    SlowRuntime.seconds, SlowRuntime.positions = 0.0, 0
    line = "function f(a,b){return a*3+b[2]}var c=f(1,[2]);" * 1400
    request = CompletionRequest(line[:30_000], line[30_000:], shape=shape, decoding=Decoding(max_tokens=32))
    slow.complete(request)
    slow.fill(FillRequest((line[:20_000], line[20_000:40_000], line[40_000:]), decoding=Decoding(max_tokens=32)))
    assert SlowRuntime.positions < 6 * slow.config.max_positions


@pytest.mark.parametrize("late", [False, True])
def test_scoring_ends_within_a_pass_of_its_limits_also_behind_others(slow: Engine, late: bool):
    cancelled, others = threading.Event(), threading.Event()
    limits = TimeLimits(time.monotonic() + 0.1) if late else TimeLimits(cancelled=cancelled.is_set)
    threading.Timer(0.1, cancelled.set).start()
    endless = threading.Thread(target=slow.complete, args=(CompletionRequest(PREFIX, decoding=ENDLESS), others))
    endless.start()
    for score in (slow.score, slow.score_tokens):
        with pytest.raises(Stopped, match="deadline" if late else "cancelled"):
            score(PREFIX, SUFFIX, "return first", limits)
    others.set()
    endless.join()
    with pytest.raises(Stopped):
        slow.score(PREFIX, SUFFIX, "return first + second\n" * 100, limits)
    assert slow.score(PREFIX, SUFFIX, "return first").tokens > 0


def test_a_cancelled_caller_is_answered_at_once_and_the_work_stops_within_a_pass(slow: Engine):
    SlowRuntime.seconds = 1.5
    cancelled = threading.Event()
    threading.Timer(0.1, cancelled.set).start()
    started = time.monotonic()
    completion = slow.complete(CompletionRequest(PREFIX, SUFFIX, decoding=Decoding(policy="autoregressive")), cancelled)
    assert completion.finish_reason == "cancelled"
    assert time.monotonic() - started < 1.4  # the pass under way takes longer
    SlowRuntime.seconds = 0.0
    slow.complete(CompletionRequest("x", "", decoding=Decoding(max_tokens=1, policy="autoregressive")))
    assert SlowRuntime.passes <= 4


def test_leaving_a_stream_early_stops_its_work(slow: Engine):
    stream = slow.stream(CompletionRequest(PREFIX, SUFFIX, decoding=Decoding(policy="autoregressive", max_tokens=200)))
    next(stream)
    stream.close()
    slow.complete(CompletionRequest("x", "", decoding=Decoding(max_tokens=1, policy="autoregressive")))
    assert SlowRuntime.passes < 10


def test_many_threads_get_their_own_answers(engine: Engine):
    requests = [
        CompletionRequest(f"value_{i} = ", "\n", decoding=Decoding(policy="threshold", max_tokens=6)) for i in range(8)
    ]
    alone = [engine.complete(request).text for request in requests]
    together: dict[int, str] = {}

    def ask(index: int) -> None:
        together[index] = engine.complete(requests[index]).text

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[index] for index in range(8)] == alone


@pytest.mark.parametrize(
    "request_",
    [
        CompletionRequest("x", decoding=Decoding(policy="telepathy")),
        CompletionRequest("x", decoding=Decoding(max_tokens=0)),
        CompletionRequest("x", decoding=Decoding(temperature=-1.0)),
        CompletionRequest("x", decoding=Decoding(top_p=0.0)),
        CompletionRequest("x", decoding=Decoding(policy="threshold", canvas_size=0)),
        CompletionRequest("x", samples=0),
        CompletionRequest("x", length=-1, decoding=Decoding(policy="threshold")),
        CompletionRequest("x", length=10_000, decoding=Decoding(policy="threshold")),
        CompletionRequest("x", length=3, decoding=Decoding(policy="autoregressive")),
        CompletionRequest("\ud800"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_and_the_engine_lives_on(engine: Engine, request_: CompletionRequest):
    with pytest.raises(InputError):
        engine.complete(request_)
    assert engine.complete(CompletionRequest("x", decoding=Decoding(max_tokens=2))).tokens <= 2


@given(prefix=st.text(max_size=200), suffix=st.text(max_size=100))
def test_any_text_can_be_completed(engine: Engine, prefix: str, suffix: str):
    assert engine.complete(CompletionRequest(prefix, suffix, decoding=Decoding(max_tokens=3))).tokens <= 3


def test_a_context_longer_than_the_model_is_cut(engine: Engine):
    completion = engine.complete(CompletionRequest("x = 1\n" * 5000, "y = 2\n" * 5000, decoding=Decoding(max_tokens=4)))
    assert completion.statistics.prefill_tokens < engine.config.max_positions


def test_score_is_the_log_probability_of_the_greedy_path(engine: Engine):
    completion = engine.complete(
        CompletionRequest(PREFIX, SUFFIX, decoding=Decoding(policy="autoregressive", max_tokens=5))
    )
    better = engine.score(PREFIX, SUFFIX, completion.text)
    worse = engine.score(PREFIX, SUFFIX, "return first + second")
    assert better.log_probability / max(1, better.tokens) > worse.log_probability / worse.tokens
    assert engine.score(PREFIX, SUFFIX, "").tokens == 0


def test_closing_brackets_right_of_the_cursor_are_replaced_only_by_text_that_closes_them(
    engine: Engine, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
):
    for text, replaces in (("first, second)", 1), ("first, second", 0), ("min(first, second)", 0), ("[0])", 1)):
        tokens = engine.checkpoint.tokenizer.encode(text)
        wanted = iter([*tokens, engine.config.control.fim_end])

        def forced(cache: Cache, request: Pass, wanted: Iterator[int] = wanted) -> Predictions:
            answer = OnnxRuntime.forward(runtime, cache, request)  # type: ignore[arg-type]
            if len(request.wanted):
                answer.tokens[0, 0] = next(wanted)
            return answer

        monkeypatch.setattr(runtime, "forward", forced)
        completion = engine.complete(CompletionRequest("add(", ")\n", decoding=Decoding(policy="autoregressive")))
        assert (completion.text, completion.replaces) == (text, replaces)


def test_a_score_knows_the_greedy_text(engine: Engine):
    prefixes = [f"{PREFIX}{name} = " for name in string.ascii_letters]
    requests = [
        CompletionRequest(prefix, decoding=Decoding(policy="autoregressive", max_tokens=1)) for prefix in prefixes
    ]
    texts = [engine.complete(request).text for request in requests]
    whole = [(prefix, text) for prefix, text in zip(prefixes, texts, strict=True) if text and "\ufffd" not in text]
    assert whole
    assert all(engine.score(prefix, "", text).greedy for prefix, text in whole)
    assert not all(engine.score(prefix, "", "first").greedy for prefix in prefixes)


def test_a_diffusion_score_is_repeatable_and_knows_its_error(engine: Engine):
    first, again = (engine.diffusion_score(PREFIX, SUFFIX, "return first", samples=4, seed=3) for _ in range(2))
    assert first == again
    assert first.log_probability < 0.0 < first.standard_error
    assert first.tokens == engine.count_tokens("return first")
    assert engine.diffusion_score(PREFIX, SUFFIX, "").log_probability == 0.0


@pytest.mark.parametrize("length", [0, 1, 9])
def test_a_length_that_is_given_is_the_answer_s(engine: Engine, length: int):
    request = CompletionRequest(PREFIX, SUFFIX, length=length, decoding=Decoding(policy="threshold:0.5", canvas_size=4))
    completion = engine.complete(request)
    assert (completion.tokens, completion.finish_reason) == (length, "end")


def test_default_canvas_size_is_one_the_checkpoint_knows(engine: Engine):
    assert default_canvas_size(engine.config) == 8


@pytest.mark.parametrize(
    ("text", "complete"),
    [("", ""), ("one", "one"), ("one\ntw", "one"), ("one\n", "one"), ("\n  x", "\n  x")],
)
def test_unfinished_text_is_cut_to_whole_lines(text: str, complete: str):
    assert complete_lines(text) == complete


def test_a_prefilled_context_is_in_the_cache_of_the_request_that_comes(engine: Engine):
    request = CompletionRequest(
        "ahead = 1\n" * 9, "\nbehind = 2\n", decoding=Decoding(policy="autoregressive", max_tokens=4)
    )
    assert engine.prefill(request)
    statistics = engine.complete(request).statistics
    assert statistics.prefill_passes == 0
    assert statistics.reused_tokens > 0


def test_whoever_waits_goes_before_work_ahead(slow: Engine):
    finished: list[bool] = []
    ahead = CompletionRequest("ahead = 2\n" * 40, "", decoding=Decoding(policy="autoregressive"))
    thread = threading.Thread(target=lambda: finished.append(slow.prefill(ahead)))
    SlowRuntime.seconds = 0.2
    thread.start()
    while not SlowRuntime.passes:
        time.sleep(0.005)
    slow.complete(CompletionRequest("now", "", decoding=Decoding(policy="autoregressive", max_tokens=1)))
    thread.join()
    assert finished == [False]
    assert SlowRuntime.passes < 8


def test_work_ahead_is_cancelled_like_any_other(slow: Engine):
    cancelled = threading.Event()
    cancelled.set()
    assert not slow.prefill(CompletionRequest("another = 3\n" * 20, ""), cancelled)
