"""FALCON-SA: the analysts' copy of what other systems hold."""
