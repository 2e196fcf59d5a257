"""Secrets and personal data: keys, tokens and passwords, e-mail and network addresses.

What may be replaced is, by something that reads as what it was and can belong to nobody: addresses that standards set
aside for documentation, a word for a key. A file with a private key is dropped whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from data.document import Document, Dropped, Kept, Verdict
from data.steps.addresses import find_addresses
from data.steps.finding import Finding, replace_all, without_overlaps
from data.steps.keys import find_keys, has_private_key

PRIVATE_KEY = "private key"
STUBBORN = "secret that cannot be replaced"

ROUNDS = 4
"""What is left of a text after a replacement may look like a secret once more."""


@dataclass(frozen=True)
class Secrets:
    name = "secrets"

    def __call__(self, document: Document) -> Verdict:
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


def find_secrets(text: str) -> list[Finding]:
    """What does not stay as it is, in order and without overlaps."""
    return without_overlaps([*find_keys(text), *find_addresses(text)])
