"""The variations of a question: their attempts, the checks on these, and the outcome."""
