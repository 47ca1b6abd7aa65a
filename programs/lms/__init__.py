"""The model backends, one module each. `resolve` turns a model's name into a model that can be called."""
