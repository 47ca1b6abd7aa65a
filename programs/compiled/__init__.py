"""Programs as files: what one was made for, loading it, and those that ship with the project."""
