"""Languages and their syntax: names, comments, scopes, and where a text is broken."""
