def oldest_first(people):
    """The people sorted by age, the oldest first. Each is a dict with a name and an age."""

