"""Drafts for nothing: what followed the last time the same few tokens stood in the context or the output.

Prompt lookup decoding, as transformers offers it (`prompt_lookup_num_tokens`); the idea is LLMA's (arXiv:2304.04487).
Code repeats itself: names, calls and whole lines come again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LONGEST_MATCH, SHORTEST_MATCH = 4, 2
"""Tokens that must be the same for a draft. A longer match is a better guess; one token alone is none."""


def repeated_continuation(sequence: Sequence[int], size: int, excluded: Sequence[int] = ()) -> list[int]:
    """Up to `size` tokens that followed the longest, then latest, earlier occurrence of the sequence's end.

    Args:
        excluded: tokens that end a draft: control tokens, which are no text.
    """
    tokens = np.asarray(sequence, np.int64)
    # Where an earlier occurrence may end: anywhere before the last token.
    matches = np.ones(max(0, len(tokens) - 1), bool)
    best = np.zeros(0, np.int64)
    for length in range(1, min(LONGEST_MATCH, len(tokens) - 1) + 1):
        matches[length - 1 :] &= tokens[: len(tokens) - length] == tokens[-length]
        matches[: length - 1] = False
        found = np.flatnonzero(matches)
        if not len(found):
            break
        if length >= SHORTEST_MATCH:
            best = found
    if not len(best) or size < 1:
        return []
    start = int(best[-1]) + 1
    draft = tokens[start : start + size]
    stops = np.flatnonzero(np.isin(draft, excluded))
    return draft[: stops[0] if len(stops) else size].tolist()
