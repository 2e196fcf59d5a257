"""From documents to packed rows of training examples: holes as users leave them, edits, and plain text."""
