"""The next edit: the last change, repeated at the other places where it is likely wanted.

Pure functions over texts; the model is not asked. `next_edits` is the way in.
"""
