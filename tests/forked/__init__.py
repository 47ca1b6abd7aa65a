"""Commands in separate processes that start quickly, for tests that kill, interrupt or limit them."""
