"""What a run does beyond making traces, each only where it is asked for."""
