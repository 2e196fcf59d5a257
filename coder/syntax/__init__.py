"""What a text's language says about it: its name, its comments, and where its syntax is broken."""
