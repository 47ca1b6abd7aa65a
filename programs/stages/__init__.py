"""The stages as DSPy modules: each fills in a signature, checks the reply, and turns it into a result."""
