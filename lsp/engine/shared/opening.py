"""Finding the engine that this user's windows share, or starting it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from coder.errors import QuickfillError
from lsp.engine.shared.address import connect, read_address
from lsp.engine.shared.channel import Channel, ChannelError
from lsp.engine.shared.client import SharedEngine
from lsp.engine.shared.handshake import greet_engine
from lsp.engine.shared.identity import EngineIdentity
from lsp.engine.shared.launch import launch, log_file
from lsp.engine.shared.private_folder import REMEDY, runtime_folder

IDLE_SECONDS = 300.0
"""Seconds that an engine stays after its last window is closed."""

PATIENCE_SECONDS = 30.0
"""Seconds to wait for an engine that is just starting or ending."""

PAUSE_SECONDS = 0.05


def open_shared_engine(
    identity: EngineIdentity, on_loading: Callable[[], None] = lambda: None, idle_seconds: float = IDLE_SECONDS
) -> SharedEngine:
    """The shared engine, its model loaded. It is started if there is none.

    Args:
        on_loading: called when its model is not loaded yet; the call returns when it is.

    Raises:
        CheckpointError, MissingDependencyError: why the model cannot be loaded.
        QuickfillError: no engine can be started, or others could listen.
    """
    folder = runtime_folder()
    patience_ends = time.monotonic() + PATIENCE_SECONDS
    while (channel := _connect(folder, identity)) is None:
        if time.monotonic() > patience_ends:
            raise QuickfillError(f"the engine does not answer; {log_file(identity)} may say why. Or {REMEDY}")
        if not launch(identity, idle_seconds):
            time.sleep(PAUSE_SECONDS)
    return SharedEngine(channel, on_loading)


def _connect(folder: Path, identity: EngineIdentity) -> Channel | None:
    """A channel to the engine, if there is one that knows the secret."""
    address = read_address(folder, identity)
    if address is None:
        return None
    with suppress(OSError):
        channel = Channel(connect(address))
        try:
            greet_engine(channel, address.secret, identity.version)
        except (OSError, ChannelError):
            channel.close()
        else:
            return channel
    return None
