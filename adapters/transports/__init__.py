"""Ways to fetch bytes and rows, each with a position to resume after."""
