"""The language server: whole-block completions in the editor. Reaches the model through `coder.engine.engine` alone."""
