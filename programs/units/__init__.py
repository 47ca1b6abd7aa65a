"""A unit of work, one variation of one question of one sample, and what becomes of it."""
