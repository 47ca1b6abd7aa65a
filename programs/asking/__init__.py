"""How a stage is sent to a model: which prompt, how many tries, which model, and how the reply is read."""
