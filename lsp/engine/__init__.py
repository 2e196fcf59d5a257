"""The engine behind the language server: in its process, shared by windows, or behind an address."""
