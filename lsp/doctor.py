"""Checks of the language server: that it answers, and that windows can share an engine. For `quickfill doctor`."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import BinaryIO, cast

from coder.doctor.findings import Finding
from lsp.engine.shared.address import Address, connect, read_address
from lsp.engine.shared.identity import EngineIdentity
from lsp.engine.shared.private_folder import runtime_folder
from lsp.wire.framing import read_message, write_message

PATIENCE_SECONDS = 20.0
START = [sys.executable, "-c", "from coder.start import main; main()", "lsp"]
INITIALIZE = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}


def check_language_server() -> Iterator[Finding]:
    """Yield whether a server answers an editor's first request, and whether an engine can be shared.

    Raises QuickfillError where the folder of shared engines is not private; it says what to do.
    """
    yield _greeting()
    folder = runtime_folder()
    address = read_address(folder, EngineIdentity("embedded"))
    state = "one runs" if address and _listens(address) else "none runs now; the first window starts it"
    yield Finding("language server", "shared engine", "works", f"{state}; sockets in {folder}")


def _greeting() -> Finding:
    begin = time.perf_counter()
    with subprocess.Popen(START, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        impatience = threading.Timer(PATIENCE_SECONDS, server.kill)
        impatience.start()
        try:
            write_message(cast("BinaryIO", server.stdin), INITIALIZE)
            answer = read_message(cast("BinaryIO", server.stdout))
        finally:
            impatience.cancel()
            server.kill()
    seconds = time.perf_counter() - begin
    if isinstance(answer, dict) and "result" in answer:
        return Finding("language server", "initialize", "works", f"answered {seconds:.1f} s after its launch")
    remedy = "run `quickfill lsp --log-level debug` and see what it says"
    return Finding("language server", "initialize", "fails", f"no answer within {seconds:.0f} s", remedy)


def _listens(address: Address) -> bool:
    try:
        connect(address).close()
    except OSError:
        return False
    return True
