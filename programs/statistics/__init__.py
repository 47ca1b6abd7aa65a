"""Statistics over many traces: counts in bounded memory, agreement, confidence intervals, distributions of thoughts."""
