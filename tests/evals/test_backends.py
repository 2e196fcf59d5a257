"""Backends: questions in, answers out, and nothing of one task in another's answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coder.api.completion import CompletionRequest, Decoding
from coder.editing.instructions import completing
from coder.engine.engine import Engine
from coder.errors import InputError, MissingDependencyError, QuickfillError
from evals.backends.backend import AnswerRequest, Backend, SamplingSettings
from evals.backends.catalog import open_backend, parse_spec
from evals.backends.engine_backend import EngineBackend, EngineSettings
from evals.backends.fill_in_the_middle import LAYOUTS
from evals.task import Broken, Holes, Infill, Task
from tests.evals.fake_server import FakeServer, serving
from tests.tiny import write_tiny_checkpoint

INFILL = Task("t/1", Infill("def add(first, second):\n    ", "\n"), "return first")
CONTINUE = Task("t/2", Infill("def add(first, second):\n"), "    return first")
LINE = Task("t/3", Infill("for i in x:\n", "print(i)\n", whole_lines=True), "    y = i\n")
MULTIPLE = Task("t/4", Holes(("a = ", "\nb = ", "\n")), "1\nb = 2")


def ask(task: Task, sample: int = 0, **decoding: Any) -> AnswerRequest:
    return AnswerRequest(task, sample, SamplingSettings(max_tokens=12, **decoding), stops=("\ndef",))


def test_a_spec_is_a_name_a_target_and_settings():
    spec = parse_spec("openai:http://127.0.0.1:80/v1,model=a/b,layout=none")
    assert (spec.name, spec.target) == ("openai", "http://127.0.0.1:80/v1")
    assert spec.settings == {"model": "a/b", "layout": "none"}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("telepathy", "there is no backend"),
        ("engine,policy", "SETTING=VALUE"),
        ("engine,mood=good", "no setting 'mood'"),
        ("engine,canvas=many", "no number"),
        ("vllm:x,eager=yes", "neither"),
        ("engine,length=long", "there is no length"),
        ("openai:http://127.0.0.1:1/v1", "needs model"),
        ("samples:no-such-file.jsonl", "cannot read"),
        ("transformers:x,layout=y", "there is no layout"),
        ("openai:http://127.0.0.1:1/v1,model=m,layout=y", "there is no layout"),
    ],
)
def test_a_spec_that_means_nothing_is_refused(spec: str, message: str):
    with pytest.raises(InputError, match=message):
        open_backend(spec)


def test_a_task_s_seed_is_its_own():
    seeds = {ask(task, sample, seed=seed).seed for task in (INFILL, LINE) for sample in (0, 1) for seed in (0, 1)}
    assert len(seeds) == 8
    assert ask(INFILL).seed == ask(INFILL).seed


class TestEngine:
    @pytest.fixture(params=["autoregressive", "threshold:0.5", "verified"])
    def backend(self, tiny: Path, engine: Engine, request: pytest.FixtureRequest) -> EngineBackend:
        return EngineBackend(EngineSettings(model=str(tiny), policy=request.param, canvas=4), engine)

    def test_answers_say_what_they_cost(self, backend: EngineBackend):
        answers = list(backend.answer([ask(INFILL), ask(CONTINUE)]))
        assert len(answers) == 2
        assert all(answer.tokens is not None and answer.tokens <= 12 and answer.passes for answer in answers)
        assert all(answer.seconds is not None and answer.seconds > 0 for answer in answers)

    def test_a_hole_of_whole_lines_ends_with_its_line_break(self, backend: EngineBackend):
        (answer,) = backend.answer([ask(LINE)])
        assert answer.text.endswith("\n")

    def test_several_holes_are_one_answer_with_the_text_between_them(self, backend: EngineBackend):
        (answer,) = backend.answer([ask(MULTIPLE)])
        assert "\nb = " in answer.text

    def test_the_order_of_questions_does_not_matter(self, backend: EngineBackend):
        asks = [ask(INFILL, temperature=0.0), ask(CONTINUE), ask(LINE)]
        forth = [answer.text for single in asks for answer in backend.answer([single])]
        back = [answer.text for single in asks[::-1] for answer in backend.answer([single])]
        assert forth == back[::-1]

    def test_its_identity_names_weights_versions_and_settings(self, backend: EngineBackend, engine: Engine):
        identity = backend.identity
        assert len(identity.model) == 64
        assert identity.settings["canvas"] == 4
        assert {"numpy", "onnxruntime"} <= identity.versions.keys()
        assert EngineBackend(EngineSettings(), engine).identity.model == identity.model

    def test_questions_asked_together_are_answered_as_one_by_one(self, engine: Engine):
        alone, together = (
            EngineBackend(EngineSettings(policy="threshold:0.5", canvas=4, batch=batch), engine) for batch in (1, 3)
        )
        asks = [ask(INFILL), ask(CONTINUE), ask(LINE)]
        expected = [answer.text for single in asks for answer in alone.answer([single])]
        assert [answer.text for answer in together.answer(asks)] == expected
        assert len(list(together.answer([ask(MULTIPLE), ask(INFILL)]))) == 2

    @pytest.mark.parametrize(("length", "tokens"), [("fixed:7", 7), ("oracle", None)])
    def test_a_length_that_is_given_is_kept(self, engine: Engine, length: str, tokens: int | None):
        backend = EngineBackend(EngineSettings(policy="threshold:0.9", canvas=4, length=length), engine)
        (answer,) = backend.answer([ask(INFILL)])
        assert answer.tokens == (tokens or engine.count_tokens(INFILL.canonical))
        assert length in backend.identity.label

    def test_a_length_needs_a_canvas(self, engine: Engine):
        backend = EngineBackend(EngineSettings(policy="autoregressive", length="fixed:3"), engine)
        with pytest.raises(InputError, match="canvas policy"):
            list(backend.answer([ask(INFILL)]))

    def test_code_is_asked_for_in_words_where_that_is_wanted(self, tmp_path: Path):
        folder = write_tiny_checkpoint(tmp_path / "tiny", abilities=["instructions"])
        engine = Engine.load(str(folder), runtime="onnx", threads=1)
        told = completing(CONTINUE.question.prefix, "python")
        request = CompletionRequest(told.begun, conversation=told.conversation, decoding=Decoding(max_tokens=12))
        (answer,) = EngineBackend(EngineSettings(instructed=True), engine).answer([ask(CONTINUE)])
        assert answer.text == engine.complete(request).text
        engine.close()

    def test_sampling_is_repeatable(self, engine: Engine):
        backend = EngineBackend(EngineSettings(policy="autoregressive"), engine)
        asks = [ask(CONTINUE, sample, temperature=1.5) for sample in range(3)]
        first, second = ([answer.text for answer in backend.answer(asks)] for _ in range(2))
        assert first == second
        assert len(set(first)) == 3


class TestServer:
    @pytest.fixture
    def server(self) -> Iterator[FakeServer]:
        with serving() as server:
            yield server

    def open(self, server: FakeServer, settings: str = "") -> Backend:
        return open_backend(f"openai:{server.url},model=coder{settings}")

    def test_the_suffix_is_sent_as_such(self, server: FakeServer):
        backend = self.open(server, ",concurrency=1")
        answers = list(backend.answer([ask(INFILL), ask(CONTINUE)]))
        backend.close()
        infill, plain = server.bodies
        assert (infill["prompt"], infill["suffix"]) == (INFILL.question.prefix, INFILL.question.suffix)
        assert "suffix" not in plain
        assert infill["max_tokens"] == 12
        assert infill["stop"] == ["\ndef"]
        assert [answer.tokens for answer in answers] == [4, 4]

    def test_a_family_s_layout_writes_the_hole_into_the_prompt(self, server: FakeServer):
        backend = self.open(server, ",layout=qwen")
        (answer,) = backend.answer([ask(INFILL)])
        prefix, suffix = INFILL.question.prefix, INFILL.question.suffix
        prompt = f"<|fim_prefix|>{prefix}<|fim_suffix|>{suffix}<|fim_middle|>"
        assert server.bodies[0]["prompt"] == prompt
        assert answer.text == f"middle of {len(prompt)}"

    def test_answers_keep_the_order_of_the_questions(self, server: FakeServer):
        tasks = [Task(f"t/{number}", Infill("x" * number), "") for number in range(1, 9)]
        answers = self.open(server, ",concurrency=8,layout=qwen").answer([ask(task) for task in tasks])
        assert [answer.text for answer in answers] == [f"middle of {number}" for number in range(1, 9)]

    def test_a_busy_server_is_asked_again(self, server: FakeServer, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("evals.backends.openai_backend.time.sleep", lambda seconds: None)
        server.failures = [503, 429]
        assert list(self.open(server).answer([ask(INFILL)]))
        assert len(server.bodies) == 1

    @pytest.mark.parametrize("failures", [[400], [503] * 4])
    def test_a_refusal_ends_the_run_with_the_reason(
        self, server: FakeServer, monkeypatch: pytest.MonkeyPatch, failures: list[int]
    ):
        monkeypatch.setattr("evals.backends.openai_backend.time.sleep", lambda seconds: None)
        server.failures = failures
        with pytest.raises(QuickfillError, match=str(failures[0])):
            list(self.open(server).answer([ask(INFILL)]))

    @pytest.mark.parametrize("answer", [{}, {"choices": []}, {"choices": [{}]}, {"choices": "no"}])
    def test_an_answer_of_another_form_is_named(self, server: FakeServer, answer: dict[str, Any]):
        server.answer = answer
        with pytest.raises(QuickfillError, match="form"):
            list(self.open(server).answer([ask(INFILL)]))

    def test_nobody_there_is_an_error_for_people(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("evals.backends.openai_backend.time.sleep", lambda seconds: None)
        backend = open_backend("openai:http://127.0.0.1:9/v1,model=m")
        with pytest.raises(QuickfillError, match="does not answer"):
            list(backend.answer([ask(INFILL)]))

    def test_a_key_is_sent_and_never_written_down(self, server: FakeServer, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("OPENAI_API_KEY", "a-key-of-mine")
        backend = self.open(server)
        list(backend.answer([ask(INFILL)]))
        assert server.headers == ["Bearer a-key-of-mine"]
        assert "a-key-of-mine" not in repr(backend.identity)

    def test_other_kinds_of_questions_are_refused(self, server: FakeServer):
        for question in (MULTIPLE.question, Broken("x = = 1", 0, 7)):
            with pytest.raises(InputError, match="cannot answer"):
                list(self.open(server).answer([ask(Task("t", question, ""))]))


class TestTransformers:
    @pytest.fixture(scope="class")
    def folder(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """A tiny causal model in `transformers`' own format, with a tokenizer of ours."""
        import torch
        from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

        from tests.tiny import write_tiny_tokenizer

        folder = tmp_path_factory.mktemp("causal")
        write_tiny_tokenizer(folder / "raw.json")
        tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "raw.json"), eos_token="<|endoftext|>")
        torch.manual_seed(0)
        config = LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=512,
            eos_token_id=0,
            bos_token_id=0,
        )
        LlamaForCausalLM(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    def test_a_model_continues_the_prompt(self, folder: Path):
        backend = open_backend(f"transformers:{folder}")
        first, again = (list(backend.answer([ask(CONTINUE), ask(INFILL)])) for _ in range(2))
        assert [answer.text for answer in first] == [answer.text for answer in again]
        assert all(answer.tokens is not None and 0 < answer.tokens <= 12 for answer in first)
        assert all(not answer.text.startswith("def add") for answer in first)

    def test_sampling_is_repeatable_and_differs_by_sample(self, folder: Path):
        backend = open_backend(f"transformers:{folder}")
        asks = [ask(CONTINUE, sample, temperature=1.0) for sample in range(3)]
        first, second = ([answer.text for answer in backend.answer(asks)] for _ in range(2))
        assert first == second
        assert len(set(first)) == 3

    def test_its_identity_names_model_and_versions(self, folder: Path):
        identity = open_backend(f"transformers:{folder}").identity
        assert identity.label == folder.name
        assert {"torch", "transformers"} == identity.versions.keys()


def test_samples_from_a_file_are_answers(tmp_path: Path):
    file = tmp_path / "theirs.jsonl"
    rows = [{"task_id": "t/1", "completion": "one"}, {"task_id": "t/1", "completion": "two"}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    backend = open_backend(f"samples:{file},label=their model")
    assert [answer.text for answer in backend.answer([ask(INFILL, 0), ask(INFILL, 1)])] == ["one", "two"]
    assert backend.identity.label == "their model"
    assert [answer.seconds for answer in backend.answer([ask(INFILL)])] == [None]
    (tmp_path / "theirs.times.jsonl").write_text('{"task_id": "t/1", "sample": 0, "seconds": 2.5}\n')
    timed = open_backend(f"samples:{file}")
    assert [answer.seconds for answer in timed.answer([ask(INFILL, 0), ask(INFILL, 1)])] == [2.5, None]
    with pytest.raises(InputError, match="no answer 3"):
        list(backend.answer([ask(INFILL, 2)]))


@pytest.mark.parametrize(("spec", "module"), [("llama-cpp:x.gguf", "llama_cpp"), ("vllm:x", "vllm")])
def test_what_is_not_installed_is_named(spec: str, module: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(MissingDependencyError, match="pip install"):
        open_backend(spec)


def test_layouts_hold_the_prefix_and_then_the_suffix():
    for layout in LAYOUTS.values():
        prompt = layout.prompt("PREFIX", "SUFFIX")
        assert prompt.index("PREFIX") < prompt.index("SUFFIX")
