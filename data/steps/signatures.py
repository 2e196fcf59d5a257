"""What two documents are compared by: a hash of the text without its layout, and a MinHash of its runs of tokens."""

from __future__ import annotations

import hashlib
import zlib

import numpy as np
import numpy.typing as npt
from datasketch import MinHash

from data.steps.ngrams import ngrams, tokenize

PERMUTATIONS = 128
SHINGLE = 5
"""Tokens of a run."""

Signature = npt.NDArray[np.uint32]
"""uint32 [PERMUTATIONS]; the share of equal places estimates the Jaccard similarity of two texts' runs."""

_PERMUTATIONS = MinHash(PERMUTATIONS).permutations


def layout_free_hash(text: str) -> bytes:
    """Equal for texts that differ in spaces and line breaks alone."""
    return hashlib.sha256("".join(text.split()).encode()).digest()[:16]


def signature(text: str) -> Signature:
    """The MinHash (Broder 1997) of the text's runs of five tokens."""
    runs = {zlib.crc32(run.encode()) for run in ngrams(tokenize(text), SHINGLE)}
    sketch = MinHash(PERMUTATIONS, hashfunc=int, permutations=_PERMUTATIONS, scheme="affine32")
    sketch.update_batch(runs)
    return sketch.hashvalues


def similarity(one: Signature, others: npt.NDArray[np.uint32]) -> npt.NDArray[np.float64]:
    """The estimated similarity, 0 to 1, of a signature and N others: uint32 [N, PERMUTATIONS] -> float64 [N]."""
    return (others == one).mean(axis=1)
