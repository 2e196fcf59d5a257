"""E-mail addresses and public network addresses, and what stands for them in documentation (RFC 2606, 5737, 3849)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from data.steps.finding import Finding

DOMAIN = re.compile(r"@(?P<domain>(?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.){1,5}[A-Za-z]{2,18})(?![\w(\[@-])")
NAME = re.compile(r"(?<![\w.+@/-])[A-Za-z0-9][\w.+-]{0,63}\Z")
LONGEST_NAME = 64
"""Characters before the sign (RFC 5321, 4.5.3.1.1)."""

SOMEBODY = "name@example.com"
DOCUMENTATION_DOMAIN = re.compile(
    r"(?:.*\.)?(?:example\.(?:com|org|net|edu)|example|test|invalid|localhost|local)", re.I
)
NOBODY = re.compile(r"git|hg|user|no-?reply", re.IGNORECASE)
"""What stands before the sign where no person is meant: users of services, as in `git@host`."""

IPV4 = re.compile(r"(?<![\w.:-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\w)")
IPV6 = re.compile(r"(?<![\w.:])[23][0-9A-Fa-f]{3}:[0-9A-Fa-f:]*:[0-9A-Fa-f:]*(?![\w.])")
"""Those in use begin with 2 or 3 (RFC 4291, 2.4). Shorter ones look like slices."""

SOMEWHERE = "192.0.2.1"
SOMEWHERE_6 = "2001:db8::1"

EVERYBODYS = frozenset("1.0.0.1 1.1.1.1 4.4.4.4 8.8.4.4 8.8.8.8 9.9.9.9 1.2.3.4 2.2.2.2 3.3.3.3 5.6.7.8".split())
"""Public resolvers, and numbers that everybody makes up."""

LARGEST_VERSION_PART = 40
"""Four numbers that are all smaller are a version or the number of a section far more often than an address."""


def find_addresses(text: str) -> Iterator[Finding]:
    for match in DOMAIN.finditer(text):
        name = NAME.search(text, max(0, match.start() - LONGEST_NAME), match.start())
        if name is None or DOCUMENTATION_DOMAIN.fullmatch(match["domain"]) or NOBODY.fullmatch(name.group()):
            continue
        yield Finding(name.start(), match.end(), "e-mail address", SOMEBODY)
    for match in IPV4.finditer(text):
        if _is_somebodys(match.group()):
            yield Finding(*match.span(), "network address", SOMEWHERE)
    for match in IPV6.finditer(text):
        if _is_somebodys(match.group()):
            yield Finding(*match.span(), "network address", SOMEWHERE_6)


def _is_somebodys(written: str) -> bool:
    try:
        address = ipaddress.ip_address(written)
    except ValueError:
        return False
    if not address.is_global or written in EVERYBODYS:
        return False
    return address.version == 6 or max(address.packed) >= LARGEST_VERSION_PART
