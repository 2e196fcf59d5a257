"""Every family through every door: the engine, the language server's engine, the evals' backend."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, Constraints, Decoding, Where
from coder.api.text_requests import EditRequest, FillRequest, RepairRequest
from coder.api.wire import nested
from coder.engine.engine import Engine
from coder.errors import InputError
from evals.backends.backend import AnswerRequest, SamplingSettings
from evals.backends.catalog import open_backend
from evals.task import Holes, Infill, Task
from lsp.engine.opening import load_in_process
from lsp.engine.shared.identity import EngineIdentity
from tests.families import PUBLISHED, write_family_checkpoint

torch = pytest.importorskip("torch")

PREFIX, SUFFIX = "def add(first, second):\n    ", "\n\n\nprint(add(1, 2))\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, family: str) -> Path:
    return write_family_checkpoint(tmp_path_factory.mktemp("family") / family, family)


@pytest.fixture(scope="module", params=PUBLISHED)
def family(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[Engine]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    engine = Engine.load(f"{folder}?lengths=2,4")
    yield engine
    engine.close()
    torch.set_num_threads(threads)


def request(prefix: str = PREFIX, suffix: str = SUFFIX, **more: object) -> CompletionRequest:
    values = {"prefix": prefix, "suffix": suffix, "path": "a.py", "max_tokens": 6, **more}
    return nested(CompletionRequest, values)


class TestEngine:
    @pytest.mark.parametrize("suffix", [SUFFIX, ""], ids=["hole", "end"])
    def test_completes(self, engine: Engine, suffix: str):
        events = list(engine.stream(request(suffix=suffix)))
        completion = events[-1]
        assert isinstance(completion, Completion)
        assert completion.finish_reason in ("end", "length") and completion.tokens <= 6
        assert completion.passes >= 1
        assert any(isinstance(event, CanvasUpdate) and event.slots for event in events)
        assert not any(text in completion.text for text in ("<|", "|>", "<M>"))

    def test_writes_the_same_again(self, engine: Engine):
        """What other requests left in caches does not matter."""
        first = engine.complete(request())
        engine.complete(request("class Point:\n    def __init__(self, x):\n        ", ""))
        assert engine.complete(request()).text == first.text

    def test_together_as_alone(self, engine: Engine):
        requests = [request(), request("x = ", ""), request("for index in range(10):\n    ", "\n")]
        together = engine.complete_many(requests)
        assert [completion.text for completion in together] == [engine.complete(each).text for each in requests]

    def test_fills_holes(self, engine: Engine):
        filled = engine.fill(
            FillRequest(("x = ", " + 1\ny = ", "\n"), where=Where(path="a.py"), decoding=Decoding(max_tokens=4))
        )
        first, second = filled.middles
        assert filled.text == f"x = {first.text} + 1\ny = {second.text}\n"

    def test_scores(self, engine: Engine):
        likely = engine.complete(request(policy="even", length=2)).text or "a"
        score = engine.score(PREFIX, SUFFIX, likely)
        assert score.log_probability < 0 and score.end_log_probability <= 0
        assert engine.diffusion_score(PREFIX, SUFFIX, "a + b", samples=4).log_probability < 0
        tokens = engine.score_tokens(PREFIX, SUFFIX, "a + b")
        assert tokens[-1].end == len("a + b")

    def test_keeps_constraints(self, engine: Engine):
        for policy in ("auto", "threshold:0.1"):
            bounds = Constraints(max_lines=1, without="defxy ")
            text = engine.complete(request(policy=policy, constraints=bounds)).text
            assert "\n" not in text and not set(text) & set("defxy ")

    def test_samples_and_stops(self, engine: Engine):
        sampled = request(temperature=1.0, seed=3)
        assert engine.complete(sampled).text == engine.complete(sampled).text
        assert engine.complete(request(deadline_ms=0.001)).finish_reason == "deadline"
        cancelled = threading.Event()
        cancelled.set()
        assert engine.complete(request(), cancelled).finish_reason == "cancelled"

    def test_repairs_edits_and_refines(self, engine: Engine):
        broken = "x = (1\ny = 2\n"
        assert engine.repair(RepairRequest(broken, 0, 7, where=Where(path="a.py"))).text.endswith("y = 2\n")
        edited = engine.edit(
            EditRequest("pass\ny = 2\n", 0, 5, "two", where=Where(path="a.py"), decoding=Decoding(max_tokens=4))
        )
        assert edited.text.endswith("y = 2\n")
        assert engine.complete(request(remasking="syntax", syntax_rounds=1)).finish_reason in ("end", "length")

    def test_says_what_it_cannot_do(self, engine: Engine):
        with pytest.raises(InputError, match="do not predict one token after another"):
            engine.complete(request(policy="verified"))
        with pytest.raises(InputError, match="length must be from 0 to"):
            engine.complete(request("x = 1\n" * 2000, max_tokens=4000, length=600))

    def test_says_what_it_is(self, engine: Engine, family: str):
        assert engine.description["family"] == family
        assert engine.config.version == family


def test_the_language_servers_engine(folder: Path, family: str):
    engine = load_in_process(str(folder), "auto")
    try:
        assert engine.status().version == family
        assert engine.prefill(request())
        *updates, completion = engine.stream(request(policy="threshold"))
        assert isinstance(completion, Completion) and updates
    finally:
        engine.close()


def test_the_evals_backend(folder: Path, family: str):
    """As `quickfill eval` opens it, with options behind the model's name."""
    backend = open_backend(f"engine:{folder}?cache=none,policy=threshold:0.5,batch=2")
    try:
        assert backend.identity.settings["runtime family"] == family
        assert "runtime cache" not in backend.identity.settings, "nothing approximate by default"
        hole = Task("t/1", Infill(PREFIX, SUFFIX), "return first")
        line = Task("t/2", Infill("for i in x:\n", "print(i)\n", whole_lines=True), "    y = i\n")
        holes = Task("t/3", Holes(("a = ", "\nb = ", "\n")), "1\nb = 2")
        asks = [AnswerRequest(task, 0, SamplingSettings(max_tokens=4)) for task in (hole, line, holes)]
        answers = [*backend.answer(asks[:2]), *backend.answer(asks[2:])]
        assert [answer.tokens is not None and answer.passes is not None for answer in answers] == [True] * 3
        assert answers[1].text.endswith("\n")
    finally:
        backend.close()


def test_onnx_is_refused(folder: Path):
    with pytest.raises(InputError, match="run in PyTorch alone"):
        Engine.load(str(folder), runtime="onnx")


def test_windows_share_an_engine_whatever_a_folder_is_called_by(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(folder.parent)
    assert EngineIdentity.of(f"{folder.name}?dtype=bfloat16") == EngineIdentity.of(f"{folder}?dtype=bfloat16")
    assert EngineIdentity.of(folder.name) != EngineIdentity.of(f"{folder.name}?dtype=bfloat16")
