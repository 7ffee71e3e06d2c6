"""Two made-up systems, as a further package would bring them."""
