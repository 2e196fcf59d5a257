def average(values):
    """The arithmetic mean of the values."""
    return sum(values) / len(values)


def spread(values):
    """The difference between the largest and the smallest value."""
    max(values) - min(values)
