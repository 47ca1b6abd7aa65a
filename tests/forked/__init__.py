"""Commands as processes of their own that start at once, where a test kills, interrupts or limits them."""
