"""One variation of one question of one sample: its attempts, what else it is asked for, and what becomes of it."""
