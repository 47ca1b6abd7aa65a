"""Command lines, config files and the environment, from a settings model."""
