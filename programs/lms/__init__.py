"""Where answers come from: one file a backend, and `resolve`, which turns a name into a model."""
