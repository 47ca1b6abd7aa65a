"""The stages as DSPy modules: which signature is asked, what its reply must fulfil, what is made of it."""
