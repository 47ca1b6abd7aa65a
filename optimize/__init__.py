"""Measures traces, and tunes the program's prompts and demonstrations by those measurements."""
