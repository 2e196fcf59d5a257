"""What is shown to the model around the cursor, and what is known of the folder around it.

`window` and `line_tokens` cut the text around a hole to what the model reads; `files` says which files of a folder may
be read; `words`, `segment` and `ngram_index` find what followed the same words elsewhere, and `workspace_index` keeps
that up for a folder in the background.
"""
