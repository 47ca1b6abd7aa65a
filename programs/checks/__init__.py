"""Deterministic checks of text: no model is asked, the same text always gives the same answer."""
