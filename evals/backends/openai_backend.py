"""Any server with OpenAI's completions endpoint: `POST {url}/completions`, with `suffix` for a hole."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx

from coder.errors import QuickfillError
from evals.backends.backend import AnswerRequest, Identity, ModelAnswer
from evals.backends.fill_in_the_middle import cut_at_end, find_layout, prompt_of
from evals.task import Infill

KEY_VARIABLE = "OPENAI_API_KEY"
RETRIES = 3
RETRY_STATUS = {408, 409, 425, 429, 500, 502, 503, 504}


class ServerError(QuickfillError):
    """A server that does not answer, or not as the protocol says."""


@dataclass(frozen=True)
class OpenAISettings:
    """The server's address, and settings of the requests.

    Attributes:
        url: up to and with the version, as `http://127.0.0.1:8000/v1`.
        layout: `suffix` sends the suffix as such; a family of models (`starcoder`, `qwen`, ...) writes the hole into
            the prompt; `none` leaves the suffix out.
        concurrency: requests at a time.
        timeout: seconds for one answer.
    """

    url: str
    model: str
    layout: str = "suffix"
    concurrency: int = 4
    timeout: float = 300.0


class OpenAIBackend:
    """Questions to a server. Where the environment has OPENAI_API_KEY, it is sent along and never written down."""

    def __init__(self, settings: OpenAISettings) -> None:
        """Raises InputError for a layout that does not exist."""
        self._settings = settings
        self._layout = None if settings.layout == "suffix" else find_layout(settings.layout)
        key = os.environ.get(KEY_VARIABLE)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(
            base_url=settings.url.rstrip("/") + "/", headers=headers, timeout=settings.timeout, trust_env=False
        )

    @property
    def batch_size(self) -> int:
        return self._settings.concurrency

    @property
    def identity(self) -> Identity:
        settings = self._settings
        return Identity(
            label=settings.model,
            settings={"backend": "openai", "layout": settings.layout, "suffix": settings.layout == "suffix"},
            versions={"httpx": httpx.__version__},
            model=settings.model,
        )

    def answer(self, asks: Sequence[AnswerRequest]) -> Iterator[ModelAnswer]:
        with ThreadPoolExecutor(self._settings.concurrency) as pool:
            yield from pool.map(self._ask, asks)

    def close(self) -> None:
        self._client.close()

    def _ask(self, ask: AnswerRequest) -> ModelAnswer:
        start = time.monotonic()
        answer = self._post(self._body(ask))
        try:
            choice = answer["choices"][0]
            text = str(choice["text"])
            tokens = (answer.get("usage") or {}).get("completion_tokens")
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise ServerError(f"{self._settings.url} answers in a form that is not OpenAI's completions") from error
        ends = self._layout.ends if self._layout else ()
        return ModelAnswer(
            text=cut_at_end(text, ends),
            finish_reason=str(choice.get("finish_reason")),
            seconds=time.monotonic() - start,
            tokens=tokens,
            passes=None,
        )

    def _body(self, ask: AnswerRequest) -> dict[str, Any]:
        question, decoding = ask.question, ask.decoding
        ends = self._layout.ends if self._layout else ()
        body: dict[str, Any] = {
            "model": self._settings.model,
            "prompt": prompt_of(question, self._layout, self._settings.model),
            "max_tokens": decoding.max_tokens,
            "temperature": decoding.temperature,
            "top_p": decoding.top_p,
            "seed": ask.seed,
        }
        if self._settings.layout == "suffix" and isinstance(question, Infill) and question.suffix:
            body["suffix"] = question.suffix
        # The protocol allows four; the benchmark cuts at all of them anyway.
        if stops := [*ends, *ask.stops][:4]:
            body["stop"] = stops
        return body

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        """The server's answer. Raises ServerError when it stays out, or refuses."""
        for attempt in range(RETRIES + 1):
            try:
                response = self._client.post("completions", json=body)
                if response.status_code in RETRY_STATUS and attempt < RETRIES:
                    time.sleep(2.0**attempt / 2)
                    continue
                if response.is_error:
                    raise ServerError(f"{self._settings.url} refuses ({response.status_code}): {response.text[:500]}")
                return response.json()
            except (httpx.TransportError, ValueError) as error:
                if attempt == RETRIES:
                    raise ServerError(f"{self._settings.url} does not answer: {error}") from error
                time.sleep(2.0**attempt / 2)
        raise AssertionError("the last attempt returns or raises")
