"""Tuning the judges on answers that people judged."""
