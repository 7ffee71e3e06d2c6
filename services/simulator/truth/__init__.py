"""What is true of the synthetic population: kept apart from the files that the systems get."""
