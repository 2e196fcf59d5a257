"""The training corpus: collect, filter, deduplicate, decontaminate, transform and pack source code."""
