"""A variation of a question: its attempts, what is asked about them, and what becomes of it."""
