"""A whole run: concurrency, budget, journal and index, resuming, progress and summary."""
