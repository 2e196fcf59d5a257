"""Every field of every request: null is absent, and what it cannot be is refused with its name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from coder.serve.app import OPERATIONS
from tests.scripted_runtime import scripted_engine
from tests.serve.in_process import serving

CODE = "x = 1\n"
MESSAGES = [{"role": "user", "content": "```python\ndef g(a):\n```"}]
TAGGED = "<|current_file_content|>\nx = <|code_to_edit|>1<|/code_to_edit|>\n<|/current_file_content|>"
UPDATE = "<|original_code|>\nx = 1\n<|/original_code|>\n<|update_snippet|>\nx = 2\n<|/update_snippet|>"

REQUIRED: dict[str, dict[str, Any]] = {
    "/v1/completions": {"prompt": CODE},
    "/v1/fim/completions": {"prompt": CODE},
    "/v1/chat/completions": {"messages": MESSAGES},
    "/v1/edit/completions": {"messages": [{"role": "user", "content": TAGGED}]},
    "/v1/apply/completions": {"messages": [{"role": "user", "content": UPDATE}]},
    "/infill": {"input_prefix": CODE},
    "/quickfill/v1/complete": {"prefix": CODE, "policy": "threshold"},
    "/quickfill/v1/fill": {"texts": ["x = ", "\n"]},
    "/quickfill/v1/prefill": {"prefix": CODE, "policy": "threshold"},
    "/quickfill/v1/edit": {"text": "def f():\n    pass\n", "start": 13, "end": 17, "language": "python"},
    "/quickfill/v1/repair": {"text": CODE},
    "/quickfill/v1/apply": {"text": CODE, "edit": "x = 2\n", "language": "python"},
    "/quickfill/v1/score": {"prefix": CODE, "middle": "y = 2\n"},
}
"""By its path, what a request needs."""

ODD = ({"odd": 1}, [], [[]], "nonsense", True, -1, 1.5, 1e300, 2**70)

FREE = ("path", "language", "prefix", "suffix", "text", "edit", "middle", "instruction")
"""Any text may be one."""

BODIES = {operation.path: operation.body for operation in OPERATIONS if operation.body is not None}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    engine = scripted_engine(tmp_path_factory.mktemp("tiny"), {"x =": " 2\n"})
    with serving(engine, most_tokens=4) as server, server.client() as client:
        yield client
    engine.close()


def test_every_operation_with_fields_is_asked_here():
    assert REQUIRED.keys() == BODIES.keys()


@pytest.mark.parametrize("path", BODIES)
def test_a_field_that_is_null_is_absent(client: httpx.Client, path: str):
    plain = client.post(path, json=REQUIRED[path])
    for field in BODIES[path].model_fields.keys() - REQUIRED[path].keys():
        answer = client.post(path, json=REQUIRED[path] | {field: None})
        assert (answer.status_code, answer.json().keys()) == (plain.status_code, plain.json().keys()), field


@pytest.mark.parametrize("path", BODIES)
def test_a_required_field_that_is_null_is_missing(client: httpx.Client, path: str):
    for name, field in BODIES[path].model_fields.items():
        if field.is_required():
            answer = client.post(path, json=REQUIRED[path] | {name: None})
            assert (answer.status_code, answer.json()["error"]["message"]) == (400, f"{name}: Field required")


@pytest.mark.slow
@pytest.mark.parametrize("path", BODIES)
def test_a_value_that_a_field_cannot_have_is_refused_with_its_name(client: httpx.Client, path: str):
    for field in BODIES[path].model_fields:
        for value in ODD:
            if field in FREE and isinstance(value, str):
                continue
            answer = client.post(path, json=REQUIRED[path] | {field: value})
            assert answer.status_code in (200, 400), (field, value, answer.text)
            if answer.status_code == 400:
                message = answer.json()["error"]["message"]
                assert field in message or "rewrite code" in message, (field, value, message)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/quickfill/v1/complete", {"constraints": {"min_lines": None, "max_lines": None, "without": None}}),
        ("/quickfill/v1/fill", {"constraints": {"min_lines": None, "max_lines": None, "without": None}}),
        ("/quickfill/v1/repair", {"diagnostics": [{"start": 0, "end": 1, "message": None}]}),
        ("/v1/completions", {"stream_options": {"include_usage": None}}),
        ("/infill", {"input_extra": [{"text": "y = 1\n", "filename": None}]}),
    ],
)
def test_null_is_absent_inside_of_a_field_too(client: httpx.Client, path: str, fields: dict[str, Any]):
    answer = client.post(path, json=REQUIRED[path] | fields)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "policy", ["fixed:999999999999", "lookup:999999999999", "threshold:7", "auto:3", "factor:1e300"]
)
def test_a_policy_out_of_range_is_refused_at_every_door(client: httpx.Client, policy: str):
    for path, body in BODIES.items():
        if "policy" in body.model_fields:
            answer = client.post(path, json=REQUIRED[path] | {"policy": policy, "temperature": 1, "max_tokens": 0})
            assert answer.status_code == 400, (path, answer.text)
            assert policy.partition(":")[0] in answer.json()["error"]["message"]


def test_a_number_out_of_range_is_refused_in_a_sentence(client: httpx.Client):
    answer = client.post("/v1/completions", json={"prompt": CODE, "seed": -5})
    assert answer.json()["error"]["message"] == "seed should be greater than or equal to 0"
