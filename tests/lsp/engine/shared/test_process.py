"""The life of the process: started once, replaced when it is killed, gone when nobody needs it."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from coder.api.completion import CompletionRequest, Decoding
from coder.api.text_requests import redecoded
from coder.errors import CheckpointError
from lsp.engine.errors import EngineLostError
from lsp.engine.shared.address import address_file
from lsp.engine.shared.identity import EngineIdentity
from lsp.engine.shared.opening import open_shared_engine
from lsp.engine.shared.private_folder import runtime_folder
from tests.lsp.engine.shared.conftest import Opener, wait_until_gone

LONG = CompletionRequest("for index in range(10):\n", decoding=Decoding(policy="autoregressive", max_tokens=400))


def test_the_first_one_waits_for_the_model_and_is_told(opened: Opener, identity: EngineIdentity):
    wait_until_gone(identity)
    told = []
    first = opened(lambda: told.append("first"))
    second = opened(lambda: told.append("second"))
    assert told == ["first"]
    assert first.status().process_id == second.status().process_id != os.getpid()


@pytest.mark.slow
def test_it_leaves_when_nobody_was_there_for_a_while(identity: EngineIdentity):
    wait_until_gone(identity)
    client = open_shared_engine(identity, idle_seconds=0.2)
    client.close()
    wait_until_gone(identity)
    assert not [file for file in runtime_folder().iterdir() if file.suffix != ".lock"]


def test_it_stays_while_a_client_is_there(identity: EngineIdentity):
    wait_until_gone(identity)
    client = open_shared_engine(identity, idle_seconds=0.2)
    for _ in range(3):
        client.prefill(replace(LONG, prefix=LONG.prefix * 20))
    other = open_shared_engine(identity, idle_seconds=0.2)
    assert other.status().process_id == client.status().process_id
    client.close()
    other.close()


@pytest.mark.slow
def test_five_that_start_at_the_same_time_get_one(opened: Opener, identity: EngineIdentity):
    wait_until_gone(identity)
    with ThreadPoolExecutor(5) as pool:
        clients = [future.result() for future in [pool.submit(opened) for _ in range(5)]]
    assert len({client.status().process_id for client in clients}) == 1
    assert len({client.complete(redecoded(LONG, max_tokens=4)).text for client in clients}) == 1


def test_a_killed_engine_is_one_clear_error_and_then_another_engine(opened: Opener):
    client, idle = opened(), opened()
    events = client.stream(LONG)
    next(events)
    process = client.status().process_id
    assert process is not None
    os.kill(process, signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
    with pytest.raises(EngineLostError, match="the engine has stopped"):
        list(events)
    for lost in (client, idle):
        with pytest.raises(EngineLostError, match="the engine has stopped"):
            lost.complete(LONG)
    other = opened()
    assert other.status().process_id != process
    assert other.complete(redecoded(LONG, max_tokens=4)).text


@pytest.mark.parametrize("left", ['{"path": null, "port": 1, "secret": "00"}', "{}", "[", '{"path": "gone"}'])
def test_what_an_engine_left_behind_is_no_hindrance(opened: Opener, identity: EngineIdentity, left: str):
    wait_until_gone(identity)
    file = address_file(runtime_folder(), identity)
    file.write_text(left, encoding="utf-8")
    file.chmod(0o600)
    assert opened(idle_seconds=0.2).complete(redecoded(LONG, max_tokens=4)).text


def test_a_model_that_cannot_be_loaded_is_a_checkpoint_error_each_time(tmp_path):
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    identity = EngineIdentity.of(str(tmp_path), "onnx")
    for _ in range(2):
        with pytest.raises(CheckpointError, match=r"config\.json"):
            open_shared_engine(identity)
        wait_until_gone(identity)


@pytest.mark.slow
def test_another_version_has_another_engine(opened: Opener, identity: EngineIdentity):
    newer = replace(identity, version="9.9")
    client = opened()
    other = open_shared_engine(newer, idle_seconds=0.2)
    assert other.status().process_id != client.status().process_id
    other.close()
    wait_until_gone(newer)


def test_models_and_runtimes_have_engines_of_their_own(tmp_path):
    identities = [EngineIdentity("embedded"), EngineIdentity("embedded", "torch"), EngineIdentity.of(str(tmp_path))]
    assert len({identity.key for identity in identities}) == 3
    assert EngineIdentity.of(str(tmp_path / "..") + f"/{tmp_path.name}") == identities[2]
