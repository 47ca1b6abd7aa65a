"""Merging the journals and documents of several runs: `python -m programs.merge`."""
