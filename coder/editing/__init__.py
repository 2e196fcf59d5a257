"""Text in, text out: holes, templates, repairs, rewrites and merged edits."""
