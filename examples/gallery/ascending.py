def is_ascending(numbers):
    """Whether no number is smaller than the one before it."""

            return False
    return True
