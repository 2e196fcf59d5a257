"""OpenAI's API through the official client, against a real process."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import openai
import pytest

from tests.serve.running_server import PATIENCE, RunningServer

PROMPT, SUFFIX = "def add(first, second):\n    ", "\n\nclass Point:\n"


@pytest.fixture(scope="module")
def api(server: RunningServer) -> Iterator[openai.OpenAI]:
    with openai.DefaultHttpxClient(trust_env=False) as client:
        yield openai.OpenAI(
            base_url=f"{server.address}/v1", api_key="none", timeout=PATIENCE, max_retries=0, http_client=client
        )


RAW = {"raw": True}
"""A tiny model writes nothing that fits its place."""


def test_a_completion(api: openai.OpenAI):
    answer = api.completions.create(model="any", prompt=PROMPT, suffix=SUFFIX, max_tokens=8, extra_body=RAW)
    assert len(answer.choices) == 1
    assert answer.choices[0].text
    assert answer.choices[0].finish_reason in ("stop", "length")
    assert answer.usage is not None
    assert 0 < answer.usage.completion_tokens <= 8
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_the_same_question_has_the_same_answer_and_finds_its_context_in_the_cache(api: openai.OpenAI):
    prompt = "for index in range(10):\n    print(index)\n" * 2
    first, second = (api.completions.create(model="any", prompt=prompt, max_tokens=8) for _ in range(2))
    assert first.choices[0].text == second.choices[0].text
    assert second.usage is not None and second.usage.prompt_tokens_details is not None
    assert second.usage.prompt_tokens_details.cached_tokens == second.usage.prompt_tokens - 1


@pytest.mark.parametrize("policy", ["auto", "threshold:0.3"])
def test_a_stream_joined_is_the_answer(api: openai.OpenAI, policy: str):
    options = {"model": "any", "prompt": PROMPT, "max_tokens": 24, "extra_body": {"policy": policy}}
    whole = api.completions.create(**options)
    chunks = list(api.completions.create(stream=True, stream_options={"include_usage": True}, **options))
    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices) == whole.choices[0].text
    reasons = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices]
    assert reasons[-1] == whole.choices[0].finish_reason
    assert set(reasons[:-1]) <= {None}
    assert chunks[-1].usage is not None and whole.usage is not None
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens


def test_a_stream_of_several_answers(api: openai.OpenAI):
    options = {"model": "any", "prompt": [PROMPT, "x ="], "n": 2, "temperature": 0.9, "seed": 7, "max_tokens": 8}
    whole = api.completions.create(**options)
    texts = [""] * 4
    for chunk in api.completions.create(stream=True, **options):
        for choice in chunk.choices:
            texts[choice.index] += choice.text
    assert texts == [choice.text for choice in whole.choices]


def test_an_answer_ends_before_a_stop(api: openai.OpenAI):
    free = api.completions.create(model="any", prompt=PROMPT, max_tokens=24).choices[0].text
    stop = free[len(free) // 2 : len(free) // 2 + 2]
    options = {"model": "any", "prompt": PROMPT, "max_tokens": 24, "stop": [stop]}
    answer = api.completions.create(**options)
    assert answer.choices[0].text == free[: free.index(stop)]
    assert answer.choices[0].finish_reason == "stop"
    streamed = api.completions.create(stream=True, **options)
    assert "".join(chunk.choices[0].text for chunk in streamed) == answer.choices[0].text


def test_several_answers_with_a_seed_are_repeatable(api: openai.OpenAI):
    options = {
        "model": "any",
        "prompt": PROMPT,
        "n": 3,
        "temperature": 1.0,
        "seed": 1,
        "max_tokens": 8,
        "extra_body": RAW,
    }
    first, second = api.completions.create(**options), api.completions.create(**options)
    texts = [choice.text for choice in first.choices]
    assert texts == [choice.text for choice in second.choices]
    assert [choice.index for choice in first.choices] == [0, 1, 2]
    assert len(set(texts)) > 1


def test_log_probabilities_belong_to_the_text(api: openai.OpenAI):
    choice = api.completions.create(model="any", prompt=PROMPT, max_tokens=8, logprobs=3).choices[0]
    found = choice.logprobs
    assert found is not None and found.tokens and found.token_logprobs and found.top_logprobs and found.text_offset
    assert "".join(found.tokens) == choice.text
    assert all(value <= 0.0 for value in found.token_logprobs)
    assert all(len(top) <= 3 for top in found.top_logprobs)
    places = zip(found.text_offset, found.tokens, strict=True)
    assert all(choice.text[offset:].startswith(token) for offset, token in places)


def test_of_no_tokens_the_prompt_is_scored(api: openai.OpenAI):
    """As evaluation harnesses ask for the likelihood of a text."""
    choice = api.completions.create(model="any", prompt=PROMPT, max_tokens=0, echo=True, logprobs=1).choices[0]
    assert choice.text == PROMPT
    assert choice.logprobs is not None and "".join(choice.logprobs.tokens or ()) == PROMPT


def test_whole_canvases_are_streamed_on_request(api: openai.OpenAI):
    extra = {"diffusing": True, "policy": "threshold:0.3", "canvas_size": 8}
    chunks = list(api.completions.create(model="any", prompt=PROMPT, max_tokens=8, stream=True, extra_body=extra))
    snapshots = [chunk.choices[0].text for chunk in chunks]
    assert any("\N{LIGHT SHADE}" in snapshot for snapshot in snapshots[:-1])
    assert "\N{LIGHT SHADE}" not in snapshots[-1]
    plain = api.completions.create(model="any", prompt=PROMPT, max_tokens=8, extra_body=extra)
    assert snapshots[-1] == plain.choices[0].text


def test_a_template_for_infilling_is_a_prompt_with_a_suffix(api: openai.OpenAI):
    template = f"<|fim_prefix|>{PROMPT}<|fim_suffix|>{SUFFIX}<|fim_middle|>"
    written_out = api.completions.create(model="any", prompt=template, max_tokens=8)
    plain = api.completions.create(model="any", prompt=PROMPT, suffix=SUFFIX, max_tokens=8)
    assert written_out.choices[0].text == plain.choices[0].text


def test_a_request_as_zed_describes_it(api: openai.OpenAI):
    """Its documentation on edit prediction, "Self-Hosted OpenAI-compatible servers"; it names many texts to stop at."""
    template = f"<|fim_prefix|>{PROMPT}<|fim_suffix|>{SUFFIX}<|fim_middle|>"
    stops = [f"<|{name}|>" for name in ("endoftext", "fim_pad", "fim_prefix", "fim_middle", "fim_suffix")] + ["<PRE>"]
    answer = api.completions.create(model="quickfill", prompt=template, max_tokens=8, temperature=0.2, stop=stops)
    (choice,) = answer.choices
    assert answer.id
    assert choice.finish_reason in ("stop", "length")
    assert not any(stop in choice.text for stop in stops)


def test_many_at_once_are_each_answered_for_itself(api: openai.OpenAI):
    prompts = [f"value_{number} = " for number in range(24)]

    def ask(prompt: str) -> str:
        return api.completions.create(model="any", prompt=prompt, max_tokens=6).choices[0].text

    alone = [ask(prompt) for prompt in prompts]
    with ThreadPoolExecutor(len(prompts)) as pool:
        assert list(pool.map(ask, prompts)) == alone


def test_the_models(api: openai.OpenAI):
    assert [model.object for model in api.models.list()] == ["model"]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("return the n-th prime", "```python\ndef nth_prime("),
        ("Write the docstring.\n```python\ndef f():\n    pass\n```", "```python\ndef f():\n"),
        ("```python\nx = <fill>\n```", "```python\nx = "),
        ("def add(a, b):", "```python\ndef add(a, b):"),
    ],
)
def test_a_chat_answers_with_code(api: openai.OpenAI, message: str, expected: str):
    messages = [{"role": "user", "content": message}]
    answer = api.chat.completions.create(model="any", messages=messages, max_tokens=6)  # type: ignore[arg-type]
    content = answer.choices[0].message.content
    assert content is not None
    assert content.startswith(expected) or message.startswith("return")
    assert content.endswith("```")
    stream = api.chat.completions.create(model="any", messages=messages, max_tokens=6, stream=True)  # type: ignore[arg-type]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == content  # type: ignore[union-attr]


def test_a_chat_does_not_rewrite_with_a_model_that_has_not_learned_to(api: openai.OpenAI):
    messages = [{"role": "user", "content": "Make it two.\n```python\nx = 1\n```"}]
    with pytest.raises(openai.BadRequestError, match="has not learned to rewrite code"):
        api.chat.completions.create(model="any", messages=messages)  # type: ignore[arg-type]


def test_a_chat_goes_on_with_what_the_assistant_has_begun(api: openai.OpenAI):
    messages = [{"role": "user", "content": "add"}, {"role": "assistant", "content": "```python\ndef add("}]
    answer = api.chat.completions.create(model="any", messages=messages, max_tokens=6)  # type: ignore[arg-type]
    plain = api.completions.create(model="any", prompt="def add(", max_tokens=6, extra_body={"language": "python"})
    assert answer.choices[0].message.content == plain.choices[0].text


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"extra_body": {"policy": "best"}}, "no decoding policy"),
        ({"n": 500}, "may be 16 at most"),
        ({"temperature": 3.0}, "temperature"),
        ({"logit_bias": {"7": 1}}, "logit_bias"),
        ({"extra_body": {"prompt": [1, 2]}}, "prompt"),
        ({"stop": ["x"] * 50}, "stop"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_cannot_be_is_refused_with_a_reason(api: openai.OpenAI, options: dict, reason: str, stream: bool):
    with pytest.raises(openai.BadRequestError, match=reason) as refused:
        api.completions.create(**{"model": "any", "prompt": "x", "max_tokens": 4, "stream": stream} | options)
    assert refused.value.type == "invalid_request_error"


def test_text_that_is_no_unicode_is_refused(client: httpx.Client):
    answer = client.post("/v1/completions", content=rb'{"prompt": "\ud800"}')
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]
