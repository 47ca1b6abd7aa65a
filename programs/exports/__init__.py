"""Exports of finished traces: one file a format, and what all of them share."""
