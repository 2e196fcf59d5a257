"""What the server says of itself, and that it keeps to it whatever it is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from coder.serve.app import OPERATIONS
from coder.serve.http.openapi import document
from tests.serve.running_server import PATIENCE, RunningServer, running

schema = schemathesis.openapi.from_dict(document(OPERATIONS))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def terse(checkpoint: Path, cache_folder: Path) -> Iterator[RunningServer]:
    """A server whose answers are short."""
    with running(checkpoint, cache_folder, "--max-tokens", "4") as server:
        yield server


@pytest.mark.slow
@schema.parametrize()
@settings(
    max_examples=10,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
def test_nothing_that_is_sent_makes_it_fail(case: schemathesis.Case, terse: RunningServer):
    response = case.call(base_url=terse.address, timeout=PATIENCE)
    case.validate_response(response, checks=CHECKS)


def test_the_document_is_served(client: httpx.Client):
    assert client.get("/openapi.json").json() == document(OPERATIONS)


def test_every_operation_is_described():
    for operation in OPERATIONS:
        assert operation.summary, operation.path


def test_the_page_names_every_path_and_needs_nothing_from_elsewhere(client: httpx.Client):
    page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for operation in OPERATIONS:
        assert operation.path in page.text
    assert not re.search(r"<script|<link|src=|https?://", page.text)


def test_fields_are_described_where_they_stand():
    fields = document(OPERATIONS)["components"]["schemas"]["CompletionBody"]["properties"]
    assert fields["suffix"]["description"] == "what follows the hole."
    assert "whole answer after a pass" in fields["diffusing"]["description"]
    assert fields["policy"]["description"] == fields["canvas_size"]["description"]
