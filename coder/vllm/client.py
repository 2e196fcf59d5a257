"""Token ids from a vLLM server that runs this project's plugin, over its OpenAI API."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from coder.api.completion import Mode
from coder.api.streams import Cancellation
from coder.errors import UnreachableError
from coder.installation import missing_extra

CONNECT_SECONDS = 10.0


@dataclass(frozen=True)
class TokenRequest:
    """One request in token ids.

    Attributes:
        canvas_size: None is the server's. expects: a line or a block.
        deadline: on the clock of `time.monotonic`.
    """

    prompt: Sequence[int]
    policy: str
    canvas_size: int | None
    max_tokens: int
    expects: Mode = "block"
    deadline: float = float("inf")


class OutOfTimeError(Exception):
    """The deadline came before the next tokens."""


class VllmClient:
    """May be used by many threads at a time."""

    def __init__(self, url: str, key: str = "") -> None:
        """
        Args:
            url: as `http://localhost:8000`, with or without `/v1`.
            key: what vLLM was given as `--api-key`.

        Raises MissingDependencyError.
        """
        try:
            import httpx
        except ImportError as error:
            raise missing_extra("asking vLLM needs httpx", "serve") from error
        self._httpx = httpx
        self._url = url.rstrip("/").removesuffix("/v1")
        self._client = httpx.Client(
            timeout=None,
            limits=httpx.Limits(max_connections=None),
            headers={"Authorization": f"Bearer {key}"} if key else {},
            trust_env=False,
        )

    def model(self) -> str:
        """The name of the model that is served. Raises UnreachableError."""
        try:
            answer = self._client.get(f"{self._url}/v1/models", timeout=CONNECT_SECONDS)
            return answer.raise_for_status().json()["data"][0]["id"]
        except (self._httpx.HTTPError, ValueError, KeyError, IndexError, TypeError) as error:
            raise self._unreachable(error) from error

    def tokens(
        self, model: str, asked: TokenRequest, cancelled: Cancellation
    ) -> Generator[tuple[list[int], str | None], None, None]:
        """Yield the tokens, about a canvas at a time, each with the reason of the end: `stop` or `length`, else None.
        vLLM ends a request whose iterator is left.

        Raises:
            UnreachableError: nobody answers, or refuses. OutOfTimeError.
        """
        arguments: dict[str, Any] = {"policy": asked.policy, "expects": asked.expects}
        if asked.canvas_size is not None:
            arguments["canvas"] = asked.canvas_size
        body = {
            "model": model,
            "prompt": list(asked.prompt),
            "max_tokens": asked.max_tokens,
            "stream": True,
            "return_token_ids": True,
            "vllm_xargs": arguments,
        }
        left = max(0.001, asked.deadline - time.monotonic())
        timeout = self._httpx.Timeout(None if left == float("inf") else left, connect=min(left, CONNECT_SECONDS))
        try:
            with self._client.stream("POST", f"{self._url}/v1/completions", json=body, timeout=timeout) as answer:
                if answer.status_code != 200:
                    raise UnreachableError(f"vLLM refused: {answer.read().decode(errors='replace')[:500]}")
                for line in answer.iter_lines():
                    if cancelled.is_set():
                        return
                    if time.monotonic() >= asked.deadline:
                        raise OutOfTimeError
                    if line.startswith("data: {"):
                        yield _written(json.loads(line.removeprefix("data: ")))
        except self._httpx.TimeoutException as error:
            raise OutOfTimeError if time.monotonic() >= asked.deadline else self._unreachable(error) from error
        except (self._httpx.HTTPError, ValueError, LookupError, TypeError) as error:
            raise self._unreachable(error) from error

    def close(self) -> None:
        self._client.close()

    def _unreachable(self, error: Exception) -> UnreachableError:
        return UnreachableError(f"vLLM at {self._url} does not answer as it should ({error or type(error).__name__})")


def _written(chunk: dict[str, Any]) -> tuple[list[int], str | None]:
    choice = chunk["choices"][0]
    return choice.get("token_ids") or [], choice.get("finish_reason")
