"""The report: one HTML file that shows a run's numbers and its traces, and needs neither a network nor a server."""
