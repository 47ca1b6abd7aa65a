"""Exports finished traces for trainers: one file per family of formats, and the code that they share."""
