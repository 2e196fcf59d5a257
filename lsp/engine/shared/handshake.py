"""A handshake: each side proves that it knows the secret of the address file, without sending it.

    client                              engine
    version, nonce          ──────▶
                            ◀──────     proof of "engine" and the client's nonce, nonce
    proof of "client" and
    the engine's nonce      ──────▶

A proof is an HMAC (RFC 2104) with SHA-256. The word in it keeps one side's proof from serving as the other's.
"""

from __future__ import annotations

import hmac
import secrets

from lsp.engine.shared.channel import Channel, ChannelError

SECONDS = 10.0
MOST_BYTES = 1024
NONCE_BYTES = PROOF_BYTES = 32


class HandshakeError(ChannelError):
    """The other side does not know the secret."""


def greet_engine(channel: Channel, secret: str, version: str) -> None:
    """The client's part. Raises HandshakeError, ChannelError, OSError."""
    channel.settimeout(SECONDS)
    nonce = secrets.token_bytes(NONCE_BYTES)
    channel.send(nonce + version.encode())
    answer = _receive(channel)
    proof, engine_nonce = answer[:PROOF_BYTES], answer[PROOF_BYTES:]
    if not hmac.compare_digest(proof, _proof(secret, b"engine", nonce, version)):
        raise HandshakeError("who answers is not the engine")
    channel.send(_proof(secret, b"client", engine_nonce, version))
    channel.settimeout(None)


def greet_client(channel: Channel, secret: str, version: str) -> None:
    """The engine's part. Raises HandshakeError, ChannelError, OSError."""
    channel.settimeout(SECONDS)
    greeting = _receive(channel)
    nonce, client_version = greeting[:NONCE_BYTES], greeting[NONCE_BYTES:]
    if len(nonce) < NONCE_BYTES or client_version != version.encode():
        raise HandshakeError("a client of another version")
    own_nonce = secrets.token_bytes(NONCE_BYTES)
    channel.send(_proof(secret, b"engine", nonce, version) + own_nonce)
    if not hmac.compare_digest(_receive(channel), _proof(secret, b"client", own_nonce, version)):
        raise HandshakeError("a client that does not know the secret")
    channel.settimeout(None)


def _receive(channel: Channel) -> bytes:
    message = channel.receive(MOST_BYTES)
    if message is None:
        raise HandshakeError("the other side hung up")
    return message


def _proof(secret: str, side: bytes, nonce: bytes, version: str) -> bytes:
    return hmac.digest(bytes.fromhex(secret), side + nonce + version.encode(), "sha256")
