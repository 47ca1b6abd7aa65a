"""What a run shows while it goes on: its work counted, the estimate of its end, the panel, the pilot."""
