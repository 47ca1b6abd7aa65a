"""Does a model learn from the data? How traces are distributed, what they tell a student, and training with controls."""
