"""The code that runs inside the sandbox; it imports nothing but the standard library and itself."""
