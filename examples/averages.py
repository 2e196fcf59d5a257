"""Numbers that describe a list of numbers."""


def mean(values: list[float]) -> float:
    """The arithmetic mean. Raises ValueError for an empty list."""
    if not values:
        raise ValueError("the mean of no values is undefined")
    return sum(values) / len(values)


def median(values: list[float]) -> float:
    """The middle value. Raises ValueError for an empty list."""
    if not values:
        raise ValueError("the median of no values is undefined")
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2 == 1:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def variance(values: list[float]) -> float:
    """The mean squared distance from the mean. Raises ValueError for an empty list."""

    center = mean(values)
    return sum((value - center) ** 2 for value in values) / len(values)


def spread(values: list[float]) -> float:
    """The difference of the largest and the smallest value. Raises ValueError for an empty list."""
    if not values:
        raise ValueError("the spread of no values is undefined")
    return max(values) - min(values)
