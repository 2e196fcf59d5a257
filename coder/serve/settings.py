"""Settings that a server is started with."""

from __future__ import annotations

import ipaddress

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 8477


class ServeSettings(BaseModel):
    """Addresses, keys and limits.

    Attributes:
        host, port: where to listen; port 0 takes a free one.
        keys: any of them lets a client in; without one every client on this machine is let in, and no other.
        allowed_hosts: names by which this server may be called besides `localhost` and bare addresses.
        allowed_origins: where pages that use it may come from besides itself: a proxy in front, as `https://example.org`.
        together: requests worked on at a time. queue: requests that may wait besides.
        timeout: seconds after which a request is answered with what there is, or refused while it still waits.
        most_tokens: the most that one answer may have; who asks for more gets so many.
        default_tokens: the most where a client does not say.
        most_body_bytes: of one request.
        most_answers: answers that one request may ask for.
        connections: that may be open at a time.
        stall: seconds that a client may take to send its request, or to take a part of the answer.
        drain: seconds in which requests under way may end once the server is told to stop.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = LOOPBACK
    port: int = Field(default=DEFAULT_PORT, ge=0, le=65535)
    keys: tuple[SecretStr, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    together: int = Field(default=8, ge=1)
    queue: int = Field(default=256, ge=0)
    timeout: float = Field(default=120.0, gt=0)
    most_tokens: int = Field(default=2048, ge=1)
    default_tokens: int = Field(default=256, ge=1)
    most_body_bytes: int = Field(default=4 << 20, ge=1)
    most_answers: int = Field(default=16, ge=1)
    connections: int = Field(default=1000, ge=1)
    stall: float = Field(default=30.0, gt=0)
    drain: float = Field(default=30.0, ge=0)

    @model_validator(mode="after")
    def _needs_a_key(self) -> ServeSettings:
        if not self.keys and not is_loopback(self.host):
            raise ValueError(
                f"{self.host} can be reached from other machines, so an API key is needed: set QUICKFILL_API_KEY, or "
                "name a file with --api-key-file; or listen on 127.0.0.1"
            )
        return self

    def tokens(self, wanted: int | None) -> int:
        """Return the limit of tokens of an answer for which a client wants so many; -1 stands for as many as
        possible."""
        if wanted is None:
            return min(self.default_tokens, self.most_tokens)
        return self.most_tokens if wanted < 0 else min(wanted, self.most_tokens)


def is_loopback(host: str) -> bool:
    """Return whether nobody but this machine can reach what listens there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
