"""Code shared by all commands: options, config files, the environment, terminal output and logging."""
