"""The questions and answers of an engine, in text: completions, edits, cancellation."""
