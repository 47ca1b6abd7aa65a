"""Pure functions over texts: no model is asked, the same text always gives the same answer."""
