"""What is likely to be changed next: what was changed last, at its other places.

Pure functions over texts; the model is not asked. `next_edits` is the way in.
"""
