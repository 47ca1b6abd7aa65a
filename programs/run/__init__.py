"""A run: from its settings over everything under way at once to its journal, document and summary."""
