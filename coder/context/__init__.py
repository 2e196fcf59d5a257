"""The text around the cursor that the model sees, and the index of the folder around it.

`window` cuts the text around a hole to what the model reads; `files` says which files of a folder may be read; `words`
and `ngram_index` find what followed the same words elsewhere, and `workspace_index` keeps such an index of a
folder up to date in the background.
"""
