"""A run: from its settings over everything under way at once to its summary."""
