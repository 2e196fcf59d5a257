"""Keys, tokens and passwords, as detect-secrets knows them.

Its patterns for the tokens of known services are looked for in the whole text. Strings that look drawn at random are
looked at only where the line speaks of a secret: elsewhere they are hashes, test data and identifiers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import pairwise

from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.high_entropy_strings import (
    Base64HighEntropyString,
    HexHighEntropyString,
    HighEntropyStringsPlugin,
)

from data.steps.finding import Finding

REDACTED = "REDACTED"

SERVICES = tuple(
    "artifactory.ArtifactoryDetector aws.AWSKeyDetector azure_storage_key.AzureStorageKeyDetector "
    "discord.DiscordBotTokenDetector github_token.GitHubTokenDetector gitlab_token.GitLabTokenDetector "
    "jwt.JwtTokenDetector mailchimp.MailchimpDetector npm.NpmDetector openai.OpenAIDetector "
    "pypi_token.PypiTokenDetector sendgrid.SendGridDetector slack.SlackDetector square_oauth.SquareOAuthDetector "
    "stripe.StripeDetector telegram_token.TelegramBotTokenDetector twilio.TwilioKeyDetector".split()
)
"""Classes of `detect_secrets.plugins`, each with the patterns of one service. Left out are those whose secrets have no
form of their own, but stand beside a word: random strings beside such words are found without them, and sooner."""

PRIVATE_KEY = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-\d")

LOGIN_IN_ADDRESS = re.compile(
    r"(?<=://)[^\s:/?#\[\]@'\"<>{}%$*()]+:(?P<password>[^\s:/?#\[\]@'\"<>{}%$*()]{3,})(?=@[\w.-])"
)
"""`//name:password@host`; not where a template fills them in."""

SPEAKS_OF_SECRETS = re.compile(
    r"secret|token(?!i[sz])|passw|pwd|api_?key|access_?key|auth|credential|private", re.IGNORECASE
)
SHORTEST_RANDOM = 20
"""Characters."""


SHORTEST_GROUP = 16
"""Characters of a pattern's group that is the secret itself."""

SAID_BY_EVERYBODY = frozenset("guest pass passw0rd passwd password postgres pw pwd root secret user".split())
"""Passwords of examples."""


def has_private_key(text: str) -> bool:
    return PRIVATE_KEY.search(text) is not None


def find_keys(text: str) -> Iterator[Finding]:
    for kind, pattern in service_patterns():
        for match in pattern.finditer(text):
            start, end = _secret_span(match)
            if text[start:end] != REDACTED:
                yield Finding(start, end, kind, REDACTED)
    for match in LOGIN_IN_ADDRESS.finditer(text):
        if match["password"] != REDACTED and match["password"].lower() not in SAID_BY_EVERYBODY:
            yield Finding(*match.span("password"), "password", REDACTED)
    yield from _random_strings(text)


@cache
def service_patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Each service's name for its secrets, and the patterns that they match, one at a time."""
    found = []
    for name in SERVICES:
        module, detector_name = name.split(".")
        detector: RegexBasedDetector = getattr(import_module(f"detect_secrets.plugins.{module}"), detector_name)()
        found += [(detector.secret_type, pattern) for pattern in detector.denylist]
    return tuple(found)


def _secret_span(match: re.Match[str]) -> tuple[int, int]:
    """Where in a match the secret stands: in its longest group if that is long, since short ones are prefixes; without
    the quotes and spaces around it."""
    spans = [match.span(group) for group in range(1, match.re.groups + 1) if match.group(group)]
    start, end = max(spans, key=lambda span: span[1] - span[0], default=(0, 0))
    if end - start < SHORTEST_GROUP:
        start, end = match.span()
    text = match.string
    while not text[start].isalnum() and start < end - 1:
        start += 1
    while not text[end - 1].isalnum() and start < end - 1:
        end -= 1
    return start, end


def _random_strings(text: str) -> Iterator[Finding]:
    """Strings of much entropy on lines that speak of secrets."""
    end = 0
    for word in SPEAKS_OF_SECRETS.finditer(text):
        if word.start() < end:
            continue
        start = text.rfind("\n", 0, word.start()) + 1
        end = text.find("\n", word.end()) + 1 or len(text)
        for detector in _random_string_detectors():
            for match in detector.regex.finditer(text, start, end):
                secret = match.group(2)
                is_candidate = len(secret) >= SHORTEST_RANDOM and not _is_alphabet(secret)
                if is_candidate and detector.calculate_shannon_entropy(secret) > detector.entropy_limit:
                    yield Finding(*match.span(2), "random string beside a word for secrets", REDACTED)


def _is_alphabet(text: str) -> bool:
    """Whether most characters follow each other, as in `0123456789abcdef`: many different ones, but not at random."""
    steps = sum(ord(after) - ord(before) == 1 for before, after in pairwise(text))
    return steps > len(text) / 2


@cache
def _random_string_detectors() -> tuple[HighEntropyStringsPlugin, ...]:
    return Base64HighEntropyString(), HexHighEntropyString()
