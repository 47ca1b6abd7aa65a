"""What a run leaves behind for whoever looks later: its log, and traces of its calls."""
