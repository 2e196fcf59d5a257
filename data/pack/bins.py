"""Best-fit decreasing: sized things into as few bins of equal size as is easily found.

The longest first, each into the fullest bin that still takes it: never more than 11/9 of the fewest bins and one
(Johnson et al., 1974, https://doi.org/10.1137/0203025), and for thousands of training documents next to none lost.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence


def best_fit_decreasing(sizes: Sequence[int], capacity: int) -> list[list[int]]:
    """The bins, each with the indices of what is in it. Raises ValueError for something larger than a bin."""
    bins: list[list[int]] = []
    # What is left in each bin, and which: the fullest first.
    left: list[tuple[int, int]] = []
    for index in sorted(range(len(sizes)), key=lambda index: (-sizes[index], index)):
        size = sizes[index]
        if size > capacity:
            raise ValueError(f"{size} does not fit into {capacity}")
        place = bisect_left(left, (size, -1))
        if place < len(left):
            free, number = left.pop(place)
        else:
            free, number = capacity, len(bins)
            bins.append([])
        bins[number].append(index)
        insort(left, (free - size, number))
    return bins
