"""The door to generation: one engine, its runtimes, its batches, its memory."""
