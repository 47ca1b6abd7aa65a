"""Figures over many things: counts at a bounded memory, intervals, how thoughts are distributed."""
