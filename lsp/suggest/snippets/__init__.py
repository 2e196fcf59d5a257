"""Text of other files that the model should know at a cursor: imported definitions, recent edits, similar lines.

`gathering` puts it together from the open files and, where the workspace is trusted, from the files of the workspace,
and says which of them may be shown.
"""
