"""Pure functions over texts: no model is asked, and the same text always gives the same result."""
