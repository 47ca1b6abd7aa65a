"""How a stage is asked of a model: what is asked next, how often, in which words, and of whom."""
