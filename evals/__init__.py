"""Benchmarks of this and other models: tasks, sandbox, scoring, reports. Uses the same public API as a user."""
