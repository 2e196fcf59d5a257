"""Numbers that describe a list of numbers."""


def mean(values: list[float]) -> float:
    """The arithmetic mean. Raises ValueError for an empty list."""
    if not values:
        raise ValueError("the mean of no values is undefined")
    return sum(values) / len(values)


def spread(values: list[float]) -> float:
    """The difference of the largest and the smallest value. Raises ValueError for an empty list."""
    if not values:
        raise ValueError("the spread of no values is undefined")
    return max(values) - min(values)


def largest(values: list[float]) -> float:
    """The largest value. Raises ValueError for an empty list."""
    <fill>
    return max(values)


def smallest(values: list[float]) -> float:
    """The smallest value. Raises ValueError for an empty list."""
    <fill>
    return min(values)
