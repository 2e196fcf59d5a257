"""From answers to figures: what is said of one answer, and of all of them with its uncertainty."""
