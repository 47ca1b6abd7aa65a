"""Measuring traces, and tuning the program's prompts and demonstrations by what was measured."""
