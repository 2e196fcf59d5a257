"""From a request to a prompt, to tokens, to text."""
