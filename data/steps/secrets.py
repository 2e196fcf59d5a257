"""Secrets and personal data: keys, tokens and passwords, e-mail and network addresses.

What may be replaced is, by something that reads as what it was and can belong to nobody: addresses that standards set
aside for documentation, a word for a key. A file with a private key is dropped whole.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import pairwise

from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.high_entropy_strings import (
    Base64HighEntropyString,
    HexHighEntropyString,
    HighEntropyStringsPlugin,
)

from data.document import CorpusDocument, Dropped, Kept, Verdict

PRIVATE_KEY = "private key"
STUBBORN = "secret that cannot be replaced"

ROUNDS = 4
"""The most passes over a text, whose rest may look like a secret once more after a replacement."""


@dataclass(frozen=True)
class Secrets:
    name = "secrets"

    def __call__(self, document: CorpusDocument) -> Verdict:
        if has_private_key(document.text):
            return Dropped(PRIVATE_KEY)
        text, notes = document.text, []
        for _ in range(ROUNDS):
            findings = find_secrets(text)
            if not findings:
                return Kept(document.with_text(text) if notes else document, tuple(notes))
            text = replace_all(text, findings)
            notes += [f"replaced: {finding.kind}" for finding in findings]
        return Dropped(STUBBORN)


def find_secrets(text: str) -> list[SecretFinding]:
    """The places that are replaced, in order and without overlaps."""
    return without_overlaps([*find_keys(text), *find_addresses(text)])


@dataclass(frozen=True, order=True)
class SecretFinding:
    """Characters `start` to `end` of a text, the end not included, and what stands there instead."""

    start: int
    end: int
    kind: str
    replacement: str


def without_overlaps(findings: Iterable[SecretFinding]) -> list[SecretFinding]:
    """The findings in order: the first of those that overlap, the longest of those that begin together."""
    chosen: list[SecretFinding] = []
    for finding in sorted(findings, key=lambda finding: (finding.start, -finding.end, finding.kind)):
        if not chosen or finding.start >= chosen[-1].end:
            chosen.append(finding)
    return chosen


def replace_all(text: str, findings: Iterable[SecretFinding]) -> str:
    """The text with every finding replaced. They are in order and do not overlap."""
    parts, place = [], 0
    for finding in findings:
        parts += [text[place : finding.start], finding.replacement]
        place = finding.end
    return "".join([*parts, text[place:]])


DOMAIN = re.compile(r"@(?P<domain>(?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.){1,5}[A-Za-z]{2,18})(?![\w(\[@-])")
NAME = re.compile(r"(?<![\w.+@/-])[A-Za-z0-9][\w.+-]{0,63}\Z")
LONGEST_NAME = 64
"""Characters before the sign (RFC 5321, 4.5.3.1.1)."""

SOMEBODY = "name@example.com"
DOCUMENTATION_DOMAIN = re.compile(
    r"(?:.*\.)?(?:example\.(?:com|org|net|edu)|example|test|invalid|localhost|local)", re.I
)
NOBODY = re.compile(r"git|hg|user|no-?reply", re.IGNORECASE)
"""Names before the sign that mean no person: users of services, as in `git@host`."""

IPV4 = re.compile(r"(?<![\w.:-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\w)")
IPV6 = re.compile(r"(?<![\w.:])[23][0-9A-Fa-f]{3}:[0-9A-Fa-f:]*:[0-9A-Fa-f:]*(?![\w.])")
"""Those in use begin with 2 or 3 (RFC 4291, 2.4). Shorter ones look like slices."""

SOMEWHERE = "192.0.2.1"
SOMEWHERE_6 = "2001:db8::1"

EVERYBODYS = frozenset("1.0.0.1 1.1.1.1 4.4.4.4 8.8.4.4 8.8.8.8 9.9.9.9 1.2.3.4 2.2.2.2 3.3.3.3 5.6.7.8".split())
"""Public resolvers, and numbers that everybody makes up."""

LARGEST_VERSION_PART = 40
"""Four numbers that are all smaller are a version or the number of a section far more often than an address."""


def find_addresses(text: str) -> Iterator[SecretFinding]:
    for match in DOMAIN.finditer(text):
        name = NAME.search(text, max(0, match.start() - LONGEST_NAME), match.start())
        if name is None or DOCUMENTATION_DOMAIN.fullmatch(match["domain"]) or NOBODY.fullmatch(name.group()):
            continue
        yield SecretFinding(name.start(), match.end(), "e-mail address", SOMEBODY)
    for match in IPV4.finditer(text):
        if _is_somebodys(match.group()):
            yield SecretFinding(*match.span(), "network address", SOMEWHERE)
    for match in IPV6.finditer(text):
        if _is_somebodys(match.group()):
            yield SecretFinding(*match.span(), "network address", SOMEWHERE_6)


def _is_somebodys(written: str) -> bool:
    try:
        address = ipaddress.ip_address(written)
    except ValueError:
        return False
    if not address.is_global or written in EVERYBODYS:
        return False
    return address.version == 6 or max(address.packed) >= LARGEST_VERSION_PART


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

PRIVATE_KEY_MARK = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-\d")

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
    return PRIVATE_KEY_MARK.search(text) is not None


def find_keys(text: str) -> Iterator[SecretFinding]:
    for kind, pattern in service_patterns():
        for match in pattern.finditer(text):
            start, end = _secret_span(match)
            if text[start:end] != REDACTED:
                yield SecretFinding(start, end, kind, REDACTED)
    for match in LOGIN_IN_ADDRESS.finditer(text):
        if match["password"] != REDACTED and match["password"].lower() not in SAID_BY_EVERYBODY:
            yield SecretFinding(*match.span("password"), "password", REDACTED)
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
    """The span of the secret in a match: its longest group if that is long, since short ones are prefixes; without
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


def _random_strings(text: str) -> Iterator[SecretFinding]:
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
                    yield SecretFinding(*match.span(2), "random string beside a word for secrets", REDACTED)


def _is_alphabet(text: str) -> bool:
    """Return whether most characters follow each other, as in `0123456789abcdef`: many different ones, but not at
    random."""
    steps = sum(ord(after) - ord(before) == 1 for before, after in pairwise(text))
    return steps > len(text) / 2


@cache
def _random_string_detectors() -> tuple[HighEntropyStringsPlugin, ...]:
    return Base64HighEntropyString(), HexHighEntropyString()
