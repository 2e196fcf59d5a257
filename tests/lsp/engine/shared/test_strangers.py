"""Who has no business with an engine gets nothing, and disturbs nobody."""

from __future__ import annotations

import errno
import os
import socket
import sys
import threading
from concurrent.futures import Future
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coder.api.completion import CompletionRequest, Decoding
from coder.api.text_engine import TextEngine
from coder.errors import QuickfillError
from lsp.engine.shared.address import Address, connect, read_address
from lsp.engine.shared.channel import Channel, ChannelError
from lsp.engine.shared.client import SharedEngine
from lsp.engine.shared.connection import Connection
from lsp.engine.shared.handshake import greet_client, greet_engine
from lsp.engine.shared.identity import EngineIdentity
from lsp.engine.shared.messages import TO_ENGINE, Ask, CompleteCall, encode
from lsp.engine.shared.opening import open_shared_engine
from lsp.engine.shared.private_folder import require_private, runtime_folder
from tests.lsp.engine.shared.conftest import Opener
from tests.lsp.scripted import ScriptedEngine

SECRET, OTHER_SECRET = "ab" * 32, "cd" * 32
REQUEST = CompletionRequest("x = ", decoding=Decoding(policy="autoregressive", max_tokens=3))
SHARES_AN_ENGINE = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

unix_only = pytest.mark.skipif(os.name != "posix", reason="Windows has no modes; a user's profile is private there")


@pytest.fixture
def client(opened: Opener) -> SharedEngine:
    return opened()


@pytest.fixture
def address(client: SharedEngine, identity: EngineIdentity) -> Address:
    address = read_address(runtime_folder(), identity)
    assert address is not None
    return address


def is_let_go(connection: socket.socket) -> bool:
    """Whether the other side hangs up, whatever it says before."""
    connection.settimeout(20)
    try:
        while connection.recv(1 << 16):
            pass
    except ConnectionError:
        pass
    return True


@SHARES_AN_ENGINE
@given(st.binary(min_size=1, max_size=200))
@example(b"\xff" * 4)
@example(b"\0\0\0\x20" + b"x" * 32)
@example(b"GET / HTTP/1.1\r\n\r\n")
def test_garbage_instead_of_a_greeting(client: SharedEngine, address: Address, garbage: bytes):
    with connect(address) as connection:
        connection.sendall(garbage)
        connection.shutdown(socket.SHUT_WR)
        assert is_let_go(connection)
    assert client.complete(REQUEST).text is not None


@SHARES_AN_ENGINE
@given(st.binary(min_size=1, max_size=200) | st.text(max_size=50).map(lambda text: text.encode()))
@example(b'{"type":"cancel","id":"1"}')
@example(b'{"type":"ask","id":1,"task":{"kind":"complete","request":{"prefix":1},"updates":true}}')
@example(b"[" * 5000)
def test_a_client_that_talks_nonsense_loses_its_connection_only(
    client: SharedEngine, address: Address, identity: EngineIdentity, garbage: bytes
):
    with connect(address) as connection:
        channel = Channel(connection)
        greet_engine(channel, address.secret, identity.version)
        channel.send(garbage or b"{}")
        assert is_let_go(connection)
    assert client.complete(REQUEST).text is not None


@pytest.mark.parametrize(
    "sent", [b"\0\0", b"\xff" * 4, b"\0" * 4, b"\0\0\0\x64{", b"\x04\0\0\0" + b"x" * 1000], ids=repr
)
def test_a_message_that_breaks_off_or_is_too_long_ends_its_connection_only(
    client: SharedEngine, address: Address, identity: EngineIdentity, sent: bytes
):
    with connect(address) as connection:
        greet_engine(Channel(connection), address.secret, identity.version)
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        assert is_let_go(connection)
    assert client.complete(REQUEST).text is not None


def test_clients_that_leave_while_their_tasks_are_under_way(
    client: SharedEngine, address: Address, identity: EngineIdentity
):
    long = CompletionRequest("x" * 200, samples=100, decoding=Decoding(max_tokens=300))
    for _ in range(20):
        with connect(address) as connection:
            channel = Channel(connection)
            greet_engine(channel, address.secret, identity.version)
            channel.send(encode(TO_ENGINE, Ask(1, CompleteCall(long, updates=True))))
    assert client.complete(REQUEST).text is not None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets one process limit another")
def test_an_engine_that_can_open_nothing_more_serves_those_who_are_there(client: SharedEngine, address: Address):
    if sys.platform == "linux":
        import resource

        process = client.status().process_id or 0
        limits = resource.prlimit(process, resource.RLIMIT_NOFILE)
        resource.prlimit(process, resource.RLIMIT_NOFILE, (3, limits[1]))
        try:
            with connect(address) as waiting:
                assert client.complete(REQUEST).text is not None
                resource.prlimit(process, resource.RLIMIT_NOFILE, limits)
                waiting.shutdown(socket.SHUT_WR)
                assert is_let_go(waiting)
        finally:
            resource.prlimit(process, resource.RLIMIT_NOFILE, limits)
        assert client.complete(REQUEST).text is not None


def test_a_task_that_fails_for_want_of_a_file_is_answered(monkeypatch: pytest.MonkeyPatch):
    """An error of the operating system that is not the connection's."""
    ours, theirs = map(Channel, socket.socketpair())
    engine, loaded = ScriptedEngine(), Future[TextEngine]()
    loaded.set_result(engine)

    def full(*_: object) -> bool:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(engine, "prefill", full)
    threading.Thread(target=Connection(ours, loaded).serve, daemon=True).start()
    client = SharedEngine(theirs)
    with pytest.raises(QuickfillError, match="No space left on device"):
        client.prefill(REQUEST)
    assert client.complete(REQUEST).text is not None
    client.close()


def test_a_task_number_is_used_once_at_a_time(client: SharedEngine, address: Address, identity: EngineIdentity):
    # So many samples that the first task is under way when the second one comes.
    request = CompletionRequest("x" * 200, samples=100, decoding=Decoding(max_tokens=300))
    ask = encode(TO_ENGINE, Ask(1, CompleteCall(request, updates=False)))
    with connect(address) as connection:
        channel = Channel(connection)
        greet_engine(channel, address.secret, identity.version)
        channel.send(ask)
        channel.send(ask)
        assert is_let_go(connection)
    assert client.complete(REQUEST).text is not None


@pytest.mark.parametrize(
    ("secret", "version"), [(SECRET, "1.0"), (OTHER_SECRET, "1.0"), (SECRET, "0.9"), (OTHER_SECRET, "0.9")]
)
def test_only_who_knows_the_secret_and_has_the_version_gets_through(secret: str, version: str):
    ours, theirs = map(Channel, socket.socketpair())
    refused: list[Exception] = []

    def greet() -> None:
        try:
            greet_client(ours, SECRET, "1.0")
        except (ChannelError, OSError) as error:
            refused.append(error)
            ours.close()

    engine = threading.Thread(target=greet)
    engine.start()
    if (secret, version) == (SECRET, "1.0"):
        greet_engine(theirs, secret, version)
        engine.join()
        assert not refused
    else:
        with pytest.raises((ChannelError, OSError)):
            greet_engine(theirs, secret, version)
        theirs.close()
        engine.join()
        assert refused
    ours.close()
    theirs.close()


@unix_only
@pytest.mark.parametrize("mode", [0o750, 0o705, 0o777])
def test_a_folder_that_others_can_look_into_is_refused(identity: EngineIdentity, mode: int):
    folder = runtime_folder()
    folder.chmod(mode)
    try:
        with pytest.raises(QuickfillError, match="open to other users"):
            open_shared_engine(identity)
    finally:
        folder.chmod(0o700)


@unix_only
def test_an_address_that_others_can_read_is_refused(address: Address, identity: EngineIdentity):
    file = runtime_folder() / f"{identity.key}.json"
    file.chmod(0o644)
    try:
        with pytest.raises(QuickfillError, match="open to other users"):
            open_shared_engine(identity)
    finally:
        file.chmod(0o600)


@unix_only
def test_a_link_in_the_folders_place_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "quickfill").symlink_to(tmp_path / "elsewhere")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with pytest.raises(QuickfillError, match="belongs to somebody else"):
        runtime_folder()


@unix_only
def test_a_folder_that_others_can_replace_is_refused(tmp_path: Path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    private = tmp_path / "open" / "private"
    private.mkdir(mode=0o700)
    with pytest.raises(QuickfillError, match="other users can replace"):
        require_private(private)
    (tmp_path / "open").chmod(0o1777)
    require_private(private)


@unix_only
def test_sockets_and_secrets_are_the_users_alone(address: Address, identity: EngineIdentity):
    folder = runtime_folder()
    for path in (folder, folder / f"{identity.key}.json", Path(address.path or "")):
        assert path.stat().st_mode & 0o077 == 0
