"""Secrets of a folder, never suggested in another file: keys, certificates, passwords, by names and contents."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import lru_cache

NAMES = tuple(
    "*.env .env* *.pem *.key *.p12 *.pfx *.jks *.keystore *.kdbx *.crt *.cer *.der *.asc *.gpg *.ovpn *.ppk *.tfstate "
    "*.tfvars id_dsa* id_ecdsa* id_ed25519* id_rsa* .netrc _netrc .npmrc .pypirc .pgpass .htpasswd .git-credentials "
    ".dockercfg credential credential.* credentials credentials.* secret secret.* secrets secrets.*".split()
)
"""In lower case."""

CONTENTS = re.compile(
    "|".join(
        (
            r"PRIVATE KEY-----|PRIVATE KEY BLOCK-----|PuTTY-User-Key-File",
            r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",  # Amazon
            r"\bgh[oprsu]_[0-9A-Za-z]{36}|\bgithub_pat_\w{22}|\bglpat-[\w-]{20}",  # GitHub, GitLab
            r"\bAIza[\w-]{35}",  # Google
            r"\bxox[abeprs]-[0-9A-Za-z-]{10}|\b[rs]k_live_[0-9A-Za-z]{16}",  # Slack, Stripe
            r"\bsk-[\w-]{32}|\bhf_[0-9A-Za-z]{30}",  # OpenAI, Anthropic, Hugging Face
            r"\bnpm_[0-9A-Za-z]{36}|\bpypi-AgEI[\w-]{16}",
        )
    ),
    re.ASCII,
)
"""Private keys, and the tokens of services that are known by how they begin."""


@lru_cache(maxsize=1024)
def is_secret_name(name: str) -> bool:
    """Return whether a file of this name holds secrets."""
    return any(fnmatchcase(name.lower(), pattern) for pattern in NAMES)


def holds_secret(text: str) -> bool:
    """Return whether a text has a key in it."""
    return CONTENTS.search(text) is not None
