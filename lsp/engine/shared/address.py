"""The address of a shared engine: a Unix socket, or on Windows a port that only the own machine reaches.

An address file says where, and holds the secret that both sides prove to know. It is in the user's private folder.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from lsp.engine.shared.identity import EngineIdentity
from lsp.engine.shared.private_folder import require_private

HAS_UNIX_SOCKETS = os.name == "posix"
LOOPBACK = "127.0.0.1"
WAITING_CLIENTS = 16


@dataclass(frozen=True)
class Address:
    """Attributes:
    path: of the Unix socket; None where there is a port instead.
    secret: in hexadecimal digits.
    """

    path: str | None
    port: int | None
    secret: str


def address_file(folder: Path, identity: EngineIdentity) -> Path:
    return folder / f"{identity.key}.json"


def lock_file(folder: Path, identity: EngineIdentity) -> Path:
    """Locked as long as the engine lives."""
    return folder / f"{identity.key}.lock"


def listen(folder: Path, identity: EngineIdentity) -> tuple[socket.socket, Address]:
    """Listen, and say where. What an engine left behind that was killed is replaced: who calls this holds the lock."""
    secret = secrets.token_hex(32)
    if HAS_UNIX_SOCKETS:
        path = folder / f"{identity.key}.socket"
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        path.chmod(0o600)
        address = Address(str(path), None, secret)
    else:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.bind((LOOPBACK, 0))
        address = Address(None, listener.getsockname()[1], secret)
    listener.listen(WAITING_CLIENTS)
    _write_privately(address_file(folder, identity), json.dumps(asdict(address)))
    return listener, address


def forget(folder: Path, identity: EngineIdentity, address: Address) -> None:
    """Remove what `listen` made."""
    address_file(folder, identity).unlink(missing_ok=True)
    if address.path is not None:
        Path(address.path).unlink(missing_ok=True)


def read_address(folder: Path, identity: EngineIdentity) -> Address | None:
    """Return the address where an engine listens, or did before it was killed; None where none is known.

    Raises QuickfillError where others can read it.
    """
    file = address_file(folder, identity)
    try:
        require_private(file)
        address = Address(**json.loads(file.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    if address.path is not None and Path(address.path).exists():
        require_private(Path(address.path))
    return address


def connect(address: Address) -> socket.socket:
    """Connect to the engine. Raises OSError where none listens."""
    family = socket.AF_INET if address.path is None else socket.AF_UNIX
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.connect((LOOPBACK, address.port) if address.path is None else address.path)
    except BaseException:
        connection.close()
        raise
    return connection


def _write_privately(file: Path, text: str) -> None:
    """Write the file atomically, and readable by its user alone at any time."""
    draft = file.with_suffix(f".{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(text)
    draft.replace(file)
