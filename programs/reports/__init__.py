"""The report: one HTML file with a run's numbers and traces, which needs neither a network nor a server."""
