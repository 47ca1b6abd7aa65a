"""Does the data train? How its traces are distributed, what they tell a student, and training with controls."""
