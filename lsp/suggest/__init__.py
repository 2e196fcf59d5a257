"""Everything of a suggestion, from the cursor to ghost text."""
