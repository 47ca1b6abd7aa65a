"""Which questions and traces stay out of the data: duplicates, and what gives a benchmark away."""
