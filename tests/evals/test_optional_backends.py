"""Backends whose packages are too large for the tests: what they ask of them, with stand-ins of the same interface."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from coder.errors import InputError
from coder.model.checkpoint.opening import open_checkpoint
from coder.model.checkpoint.tokens import infill
from evals.backends.backend import AnswerRequest, SamplingSettings
from evals.backends.catalog import open_backend
from evals.task import Infill, Task

TASK = Task("t/1", Infill("def add(a, b):\n", "\n"), "    return a + b")
ASKS = [
    AnswerRequest(TASK, sample, SamplingSettings(max_tokens=7, temperature=0.5, seed=1), ("\ndef",))
    for sample in (0, 1)
]
WRITTEN = "    return a<|endoftext|>"
PROMPT = "<|fim_prefix|>def add(a, b):\n<|fim_suffix|>\n<|fim_middle|>"


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch):
    """Put a module in the place of one that is not installed."""

    def put(name: str, **members: Any) -> None:
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.setattr("importlib.metadata.version", lambda package: "1.0")

    return put


def test_llama_cpp_is_asked_for_a_completion(stand_in, tmp_path: Path):
    calls: list[tuple[str, dict[str, Any]]] = []

    class Llama:
        def __init__(self, model_path: str, n_ctx: int, n_threads: int | None, verbose: bool, seed: int) -> None:
            assert (model_path, n_ctx, verbose) == (str(file), 512, False)

        def create_completion(self, prompt: str, **settings: Any) -> dict[str, Any]:
            calls.append((prompt, settings))
            return {"choices": [{"text": WRITTEN, "finish_reason": "stop"}], "usage": {"completion_tokens": 4}}

        def close(self) -> None:
            calls.append(("closed", {}))

    stand_in("llama_cpp", Llama=Llama)
    file = tmp_path / "coder.gguf"
    with pytest.raises(InputError, match="no file"):
        open_backend(f"llama-cpp:{file}")
    file.write_bytes(b"GGUF")
    backend = open_backend(f"llama-cpp:{file},layout=qwen,context=512")
    answers = list(backend.answer(ASKS))
    backend.close()
    assert [(answer.text, answer.tokens, answer.passes) for answer in answers] == [("    return a", 4, 4)] * 2
    prompt, settings = calls[0]
    assert prompt == PROMPT
    assert (settings["max_tokens"], settings["temperature"]) == (7, 0.5)
    assert {"<|endoftext|>", "\ndef"} <= set(settings["stop"])
    assert settings["seed"] != calls[1][1]["seed"]
    assert calls[-1][0] == "closed"
    assert backend.identity.label == "coder"


def test_vllm_is_asked_for_a_batch(stand_in):
    calls: list[tuple[list[str], list[Any]]] = []

    class LLM:
        def __init__(self, model: str, dtype: str, enforce_eager: bool) -> None:
            assert (model, dtype, enforce_eager) == ("organisation/coder", "auto", False)

        def generate(self, prompts: list[str], settings: list[Any], use_tqdm: bool) -> list[Any]:
            calls.append((prompts, settings))
            written = SimpleNamespace(text=WRITTEN, token_ids=[1, 2, 3, 4], finish_reason="stop")
            return [SimpleNamespace(outputs=[written])] * len(prompts)

    stand_in("vllm", LLM=LLM, SamplingParams=lambda **settings: SimpleNamespace(**settings), __version__="1.0")
    backend = open_backend("vllm:organisation/coder,layout=qwen,batch=8")
    assert backend.batch_size == 8
    answers = list(backend.answer(ASKS))
    backend.close()
    assert [(answer.text, answer.tokens) for answer in answers] == [("    return a", 4)] * 2
    ((prompts, settings),) = calls
    assert prompts == [PROMPT] * 2
    assert {"<|endoftext|>", "\ndef"} <= set(settings[0].stop)
    assert settings[0].seed != settings[1].seed
    assert backend.identity.label == "coder"


def test_the_plugin_of_vllm_is_asked_what_the_engine_is_asked(stand_in, tiny: Path):
    tokenizer = open_checkpoint(str(tiny)).tokenizer
    control = tokenizer.control
    asked: list[Any] = []

    class LLM:
        def __init__(self, model: str, dtype: str, enforce_eager: bool, kv_cache_memory_bytes: int) -> None:
            assert (model, dtype, enforce_eager, kv_cache_memory_bytes) == (str(tiny), "float32", True, 64 << 20)

        def generate(self, prompts: list[Any], settings: list[Any], use_tqdm: bool) -> list[Any]:
            asked.extend(zip(prompts, settings, strict=True))
            written = [
                SimpleNamespace(token_ids=[*tokenizer.encode("    return a"), control.fim_end], finish_reason="stop"),
                SimpleNamespace(token_ids=tokenizer.encode("    return"), finish_reason="length"),
            ]
            return [SimpleNamespace(outputs=[one]) for one in written]

    stand_in("vllm", LLM=LLM, SamplingParams=lambda **settings: SimpleNamespace(**settings), __version__="1.0")
    backend = open_backend(f"vllm:{tiny},policy=threshold:0.9,canvas=8,dtype=float32,cache_mib=64,eager=true")
    with pytest.raises(InputError, match="greedily"):
        list(backend.answer(ASKS))
    # The engine ends whole lines before their line break, which is given to it and put back.
    lines = Task("t/2", Infill("def add(a, b):\n", "x = 1\n", whole_lines=True), "    return a + b\n")
    first, second = backend.answer(
        [AnswerRequest(lines, 0, SamplingSettings(7)), AnswerRequest(TASK, 0, SamplingSettings(7))]
    )
    assert (first.text, first.finish_reason, first.passes) == ("    return a\n", "end", None)
    assert first.tokens == len(tokenizer.encode("    return a"))
    assert (second.text, second.finish_reason) == ("    return", "length")
    prompt, settings = asked[0]
    written = tokenizer.encode("def add(a, b):\n")
    expected = infill(control, [], tokenizer.encode("\nx = 1\n"), written=written)
    assert prompt == {"prompt_token_ids": expected}
    assert (settings.extra_args, settings.max_tokens) == ({"policy": "threshold:0.9", "canvas": 8}, 7)
    assert not hasattr(settings, "seed") and not hasattr(settings, "temperature")
    assert backend.identity.label.endswith(": threshold:0.9, canvas 8")
    assert backend.identity.versions == {"vllm": "1.0"}
    with pytest.raises(InputError, match="leave it out"):
        open_backend(f"vllm:{tiny},policy=verified,layout=qwen")
