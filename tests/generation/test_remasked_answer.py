"""Remasking through the engine: from spans of the joined text to the answer's tokens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from coder.api.completion import CompletionRequest
from coder.diffusion.remasking import SyntaxErrors, UndefinedNames
from coder.engine.engine import Engine
from coder.errors import InputError
from coder.generation.remasked_answer import policy_by_language, positions
from coder.model.checkpoint.tokens import Tokenizer
from tests.tiny import write_tiny_checkpoint, write_tiny_tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    file = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    write_tiny_tokenizer(file)
    return Tokenizer(file)


def masked(tokenizer: Tokenizer, tokens: list[int], found) -> str:
    return "".join(piece for index, piece in enumerate(tokenizer.pieces(tokens)) if index in found)


def test_tokens_that_touch_a_span_are_found(tokenizer: Tokenizer):
    tokens = tokenizer.encode("a + né")
    assert masked(tokenizer, tokens, positions(tokens, [(104, 106)], 100, tokenizer)).strip() == "né"
    assert masked(tokenizer, tokens, positions(tokens, [(100, 100)], 100, tokenizer)) == "a"
    assert positions(tokens, [(0, 100), (106, 120)], 100, tokenizer) == []


@pytest.mark.parametrize(
    ("name", "kind", "answer", "wrong"),
    [("names", UndefinedNames, "return wdth + 1", "wdth"), ("syntax", SyntaxErrors, "return = width", "=")],
)
def test_what_is_wrong_in_the_joined_text_is_masked(tokenizer: Tokenizer, name, kind, answer, wrong):
    request = CompletionRequest("def f(width):\n    ", "\n", path="a.py")
    policy = policy_by_language(name, request, "", tokenizer)
    assert isinstance(policy, kind)
    tokens = tokenizer.encode(answer)
    found = policy.wrong(tokens)
    assert wrong in masked(tokenizer, tokens, found)
    assert len(found) < len(tokens)
    assert policy.wrong(tokenizer.encode("return width")) == []


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        engine = Engine.load(str(write_tiny_checkpoint(tmp_path_factory.mktemp("tiny"))), runtime="onnx", threads=1)
        yield engine
        engine.close()


@pytest.mark.parametrize("remasking", ["syntax", "names:1"])
@pytest.mark.parametrize("policy", ["autoregressive", "threshold:0.3"])
def test_an_answer_is_never_less_likely_for_it(engine: Engine, remasking: str, policy: str):
    for prefix in ("def add(first, second):\n    ", "for index in range(", "class Point:\n"):
        request = CompletionRequest(prefix, "\n", path="a.py", policy=policy, max_tokens=60)
        plain = engine.complete(request)
        again = engine.complete(CompletionRequest(**{**vars(request), "remasking": remasking}))
        before, after = (engine.score(prefix, "\n", each.text) for each in (plain, again))
        assert after.log_probability + after.end_log_probability >= (
            before.log_probability + before.end_log_probability - 0.05
        )


@pytest.mark.parametrize("remasking", ["confidence", "grammar"])
def test_what_cannot_be_done_is_an_error_of_the_caller(engine: Engine, remasking: str):
    with pytest.raises(InputError):
        engine.complete(CompletionRequest("x = ", remasking=remasking, max_tokens=4))
