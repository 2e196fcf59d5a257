"""What the server does, one module a feature. Handlers are short: the work is done elsewhere."""
