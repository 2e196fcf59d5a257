"""The language server's protocol: framing, greeting, messages."""
