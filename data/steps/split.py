"""Which part of the corpus a document belongs to: decided by its package, so that no package is in two."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from data.document import HELD_OUT, TRAIN, VALIDATION, Document, Kept

HASHES = 2**64


@dataclass(frozen=True)
class Split:
    """Attributes: held_out: normalised names of packages that no training sees. validation: the share of the others,
    by number of packages, that training is watched with. seed: another one draws others."""

    held_out: frozenset[str]
    validation: float = 0.0
    seed: int = 0
    name = "split"

    def __call__(self, document: Document) -> Kept:
        return Kept(replace(document, split=self.of(document.package)))

    def of(self, package: str) -> str:
        if package in self.held_out:
            return HELD_OUT
        digest = hashlib.sha256(f"{self.seed}:{package}".encode()).digest()
        return VALIDATION if int.from_bytes(digest[:8], "big") < self.validation * HASHES else TRAIN
