def mean(values):
    """The arithmetic mean; 0.0 for no values."""
    if not <fill>:
        return <fill>
    return sum(values) / len(<fill>)
