"""Requests through one model together are answered as one by one, whatever their mix."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, Decoding
from coder.diffusion.block_diffusion import parse_algorithm
from coder.diffusion.events import Committed, Finished
from coder.diffusion.run import DenoiseRequest, Sampler
from coder.engine.batching import BatchingRuntime
from coder.engine.engine import Engine
from coder.errors import InputError
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.onnx.runtime import OnnxRuntime
from coder.model.runtime import Pass, Runtime
from coder.model.torch.runtime import TorchRuntime
from tests.diffusion.runs import algorithms, contexts
from tests.diffusion.toy import END, ToyRuntime
from tests.equality import equal_up_to_a_tie
from tests.held_out import prompts
from tests.request_kinds import TEXT, requests_of_every_kind
from tests.tiny import write_tiny_checkpoint

POLICIES = ["autoregressive", "verified", "lookup", "threshold:0.9", "factor", "entropy", "fixed:3"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return open_checkpoint(str(write_tiny_checkpoint(tmp_path_factory.mktemp("tiny"))))


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """The models are so small that more only get into each other's way."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", params=["torch", "onnx", "onnx int8"])
def runtime(checkpoint: Checkpoint, request: pytest.FixtureRequest) -> Runtime:
    if request.param == "torch":
        return TorchRuntime.load(checkpoint, "cpu")
    return OnnxRuntime.load(checkpoint, threads=1, weight_bits=8 if request.param == "onnx int8" else 32)


@pytest.fixture(scope="module")
def engine(checkpoint: Checkpoint) -> Iterator[Engine]:
    engine = Engine.load(str(checkpoint.folder), runtime="onnx", threads=1)
    yield engine
    engine.close()


def denoise(runtime: Runtime, request: DenoiseRequest) -> tuple[list[int], Finished]:
    *events, finished = Sampler(runtime).denoise(request)
    assert isinstance(finished, Finished)
    return [token for event in events if isinstance(event, Committed) for token in event.tokens], finished


def together(runtime: Runtime, requests: list[Callable[[], DenoiseRequest]], width: int = 8) -> list[list[int]]:
    batching = BatchingRuntime(runtime)
    tasks = [lambda request=request: denoise(batching, request())[0] for request in requests]
    return batching.run(tasks, width)


@settings(max_examples=50)
@given(st.lists(st.tuples(contexts, algorithms, st.integers(1, 30)), max_size=12), st.integers(1, 5))
def test_on_a_toy_the_outputs_and_statistics_are_exactly_those_of_one_by_one(mix, width: int):
    runtime = ToyRuntime()
    batching = BatchingRuntime(runtime)

    def request(context, algorithm, max_tokens) -> DenoiseRequest:
        return DenoiseRequest(context, runtime.new_cache(), algorithm, END, max_tokens)

    alone = [denoise(runtime, request(*each)) for each in mix]
    tasks = [lambda each=each: denoise(batching, request(*each)) for each in mix]
    for (output, finished), (expected, reference) in zip(batching.run(tasks, width), alone, strict=True):
        assert output == expected
        assert finished.reason == reference.reason
        for field in ("tokens", "prefill_passes", "canvas_passes", "commit_passes", "mean_confidence"):
            assert getattr(finished.statistics, field) == getattr(reference.statistics, field)


@st.composite
def mixes(draw: st.DrawFn) -> list[dict]:
    """Settings of a few requests: where the hole is, how to decode, greedily or with a seed."""
    mix = []
    for _ in range(draw(st.integers(2, 10))):
        policy = draw(st.sampled_from(POLICIES))
        greedy = policy in ("verified", "lookup") or draw(st.booleans())
        mix.append(
            {
                "context": draw(st.lists(st.integers(17, 300), min_size=1, max_size=90)),
                "algorithm": parse_algorithm(policy, draw(st.integers(1, 12))),
                "max_tokens": draw(st.integers(1, 16)),
                "temperature": 0.0 if greedy else 0.7,
                "seed": draw(st.integers(0, 9)),
                "prefill_chunk": draw(st.sampled_from([8, 64, 128])),
            }
        )
    return mix


@settings(max_examples=15)
@given(mix=mixes())
def test_on_real_runtimes_batch_equals_single(runtime: Runtime, mix: list[dict]):
    end = runtime.config.control.fim_end

    def request(settings: dict) -> DenoiseRequest:
        return DenoiseRequest(cache=runtime.new_cache(), end_token=end, **settings)

    alone = [denoise(runtime, request(settings))[0] for settings in mix]
    batch = together(runtime, [lambda settings=settings: request(settings) for settings in mix])
    for output, expected, settings_ in zip(batch, alone, mix, strict=True):
        if not isinstance(runtime, OnnxRuntime) and output != expected:  # in ONNX Runtime there is no such excuse
            equal_up_to_a_tie(runtime, settings_["context"], expected, output, end)
        else:
            assert output == expected


@settings(max_examples=30)
@given(data=st.data())
def test_passes_of_all_kinds_are_answered_as_alone(runtime: Runtime, data: st.DataObject):
    """Ragged caches, widths beyond what is batched, canvases beside context passes, different control tokens."""
    size = data.draw(st.integers(2, 10))
    token = st.integers(17, 300)
    requests, first, second = [], [], []
    for _ in range(size):
        context = data.draw(st.lists(token, max_size=30))
        tokens = data.draw(st.lists(token, min_size=1, max_size=12)) * data.draw(st.sampled_from([1, 1, 1, 9]))
        wanted = sorted(data.draw(st.sets(st.integers(0, len(tokens) - 1), max_size=5)))
        causal = data.draw(st.booleans())
        control = data.draw(st.sampled_from([(), (0,), (8, 0)]))
        given = data.draw(st.none() | st.lists(token, min_size=len(wanted), max_size=len(wanted)))
        requests.append(Pass(tokens, wanted, causal, len(tokens) // 2 * causal, given, control))
        for caches in (first, second):
            caches.append(runtime.new_cache())
            if context:
                runtime.forward(caches[-1], Pass(context, commit=len(context)))
    alone = [runtime.forward(cache, request) for cache, request in zip(first, requests, strict=True)]
    batch = runtime.forward_batch(second, requests)
    tolerance = 1e-5 if isinstance(runtime, OnnxRuntime) else 1e-4
    for expected, answer, one, other in zip(alone, batch, first, second, strict=True):
        assert one.tokens == other.tokens
        for field in ("probabilities", "entropy", "log_probability"):
            difference = abs(getattr(expected, field) - getattr(answer, field))
            assert difference.max(initial=0.0) < tolerance, field


REQUESTS = requests_of_every_kind(max_tokens=12)


@pytest.mark.parametrize("width", [1, 3, 8])
def test_complete_many_answers_as_complete_does(engine: Engine, width: int):
    alone = [engine.complete(request) for request in REQUESTS]
    for completion, expected in zip(engine.complete_many(REQUESTS, together=width), alone, strict=True):
        assert completion.text == expected.text
        assert completion.finish_reason == expected.finish_reason
        assert completion.passes == expected.passes
        assert [other.text for other in completion.alternatives] == [other.text for other in expected.alternatives]


def test_threads_that_take_part_share_passes_with_everybody_else(engine: Engine):
    """Requests asked from inside, one by one and as a whole, and others from outside at the same time."""
    expected = [engine.complete(request).text for request in REQUESTS]

    def inside(requests: list[CompletionRequest]) -> list[str]:
        with engine.joined():
            first, *others = requests
            return [engine.complete(first).text, *(answer.text for answer in engine.complete_many(others))]

    with ThreadPoolExecutor(4) as pool:
        parts = [pool.submit(inside, REQUESTS), pool.submit(inside, REQUESTS[::-1])]
        many = pool.submit(engine.complete_many, REQUESTS)
        plain = pool.submit(lambda: [engine.complete(request).text for request in REQUESTS])
        assert parts[0].result() == parts[1].result()[::-1] == plain.result() == expected
        assert [answer.text for answer in many.result()] == expected


def test_from_inside_events_happen_when_they_are_asked_for(engine: Engine):
    with engine.joined():
        events = engine.stream(CompletionRequest(TEXT, decoding=Decoding(max_tokens=40)))
        next(events)
        cancelled = threading.Event()
        other = engine.stream(
            CompletionRequest(TEXT, decoding=Decoding(max_tokens=40, policy="autoregressive")), cancelled
        )
        first = next(other)
        cancelled.set()
        last = list(other)[-1]
        events.close()
    assert isinstance(first, CanvasUpdate)
    assert isinstance(last, Completion)
    assert last.finish_reason == "cancelled"


def test_of_nothing_there_are_no_completions(engine: Engine):
    assert engine.complete_many([]) == []


def test_cancelling_one_leaves_the_others_unharmed(engine: Engine):
    cancelled = [threading.Event() for _ in REQUESTS]
    cancelled[2].set()
    completions = engine.complete_many(REQUESTS, cancelled)
    assert (completions[2].finish_reason, completions[2].text) == ("cancelled", "")
    for index, request in enumerate(REQUESTS):
        if index != 2:
            assert completions[index].text == engine.complete(request).text


def test_a_request_cancelled_between_passes_ends_and_the_others_go_on():
    runtime = ToyRuntime()
    batching = BatchingRuntime(runtime)
    count = 0

    def cancelled() -> bool:
        nonlocal count
        count += 1
        return count > 4

    def task(stop: Callable[[], bool], max_tokens: int) -> Finished:
        algorithm = parse_algorithm("autoregressive", 1)
        request = DenoiseRequest([12, 13, 14], batching.new_cache(), algorithm, 99, max_tokens, cancelled=stop)
        return denoise(batching, request)[1]

    first, second = batching.run([lambda: task(cancelled, 30), lambda: task(lambda: False, 30)], 2)
    assert (first.reason, first.statistics.tokens) == ("cancelled", 3)
    assert (second.reason, second.statistics.tokens) == ("length", 30)


def test_each_request_has_its_own_deadline(engine: Engine):
    late = CompletionRequest(TEXT, decoding=Decoding(deadline_ms=0.0, max_tokens=8))
    completions = engine.complete_many([late, REQUESTS[0], late])
    assert [completion.finish_reason == "deadline" for completion in completions] == [True, False, True]


def test_an_error_of_one_reaches_the_caller_and_the_engine_goes_on(engine: Engine):
    wrong = CompletionRequest(TEXT, decoding=Decoding(policy="best"))
    with pytest.raises(InputError, match="no decoding policy"):
        engine.complete_many([*REQUESTS[:2], wrong, *REQUESTS[2:]])
    assert isinstance(engine.complete(REQUESTS[0]), Completion)


def test_an_error_of_the_runtime_reaches_all_that_wait():
    class Broken(ToyRuntime):
        def forward_batch(self, caches, requests):
            raise OSError("no memory")

    batching = BatchingRuntime(Broken())

    def task() -> str:
        try:
            while True:  # until the other one is there too
                batching.forward(batching.new_cache(), Pass([12], wanted=[0]))
        except OSError as error:
            return str(error)

    assert batching.run([task, task], 2) == ["no memory", "no memory"]


def test_what_does_not_fit_the_model_is_refused_alone():
    runtime = ToyRuntime(max_positions=20)
    batching = BatchingRuntime(OnlyFits(runtime))

    def task(length: int) -> int:
        return len(batching.forward(batching.new_cache(), Pass([12] * length, wanted=[0])).tokens)

    with pytest.raises(InputError, match="20"):
        batching.run([lambda: task(5), lambda: task(21), lambda: task(6)], 3)


class OnlyFits(BatchingRuntime):
    """Refuses what is too long, as the real runtimes do."""

    def forward(self, cache, request):
        if len(cache.tokens) + len(request.tokens) > self.config.max_positions:
            raise InputError(f"longer than {self.config.max_positions}")
        return super().forward(cache, request)


@pytest.mark.slow
def test_embedded():
    """In int8 no tie is ever decided differently: rows do not know of each other."""
    checkpoint = open_checkpoint("embedded")
    runtime = OnnxRuntime.load(checkpoint, 2)
    end = checkpoint.config.control.fim_end
    texts = list(prompts(checkpoint.tokenizer, len(POLICIES), 40))

    def request(index: int) -> DenoiseRequest:
        algorithm = parse_algorithm(POLICIES[index % len(POLICIES)], 4 + index)
        return DenoiseRequest(texts[index], runtime.new_cache(), algorithm, end, 8)

    alone = [denoise(runtime, request(index))[0] for index in range(len(texts))]
    assert together(runtime, [lambda index=index: request(index) for index in range(len(texts))]) == alone
