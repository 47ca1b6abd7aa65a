"""Does the data train? What its traces have in common, what a student makes of them, and training with controls."""
