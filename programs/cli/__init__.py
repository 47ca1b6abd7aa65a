"""What commands share: options, config files and the environment, what is shown, and what is logged."""
