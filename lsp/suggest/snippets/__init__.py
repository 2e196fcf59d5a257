"""Text of other files that the model should know at a cursor: what is imported, what was just edited, what is alike.

`gathering` puts it together from the open files and, where the workspace is trusted, from the workspace's; `readable`
says what of them may be shown at all; `frozen` keeps it while the user types in one place.
"""
