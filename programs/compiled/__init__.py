"""Programs as files: what one was made for, and loading it."""
